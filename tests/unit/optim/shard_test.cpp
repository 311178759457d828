#include "convoy/optim/shard.hpp"

#include <gtest/gtest.h>

namespace convoy::optim {
namespace {

TEST(Shard, KeepsItsRangesOneAfterTheOther) {
  Shard shard({{2, 5}, {9, 10}, {20, 24}});
  ASSERT_EQ(shard.values().size(), 8U);
  EXPECT_EQ(shard.at(2), shard.values().data());
  EXPECT_EQ(shard.at(4), shard.values().data() + 2);
  EXPECT_EQ(shard.at(9), shard.values().data() + 3);
  EXPECT_EQ(shard.at(23), shard.values().data() + 7);
  for (const float value : shard.values()) EXPECT_EQ(value, 0.0F);
}

TEST(Shard, OfNothingHasNoPlaces) {
  Shard shard;
  EXPECT_EQ(shard.values().size(), 0U);
  EXPECT_EQ(shard.at(7), nullptr);
}

}  // namespace
}  // namespace convoy::optim
