#include "convoy/core/median.hpp"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(Median, IsTheMiddleOneInWhateverOrder) {
  EXPECT_EQ(median({7.0}), 7.0);
  EXPECT_EQ(median({3.0, 1.0, 2.0}), 2.0);
  EXPECT_EQ(median({9.0, -1.0, 4.0, 4.0, 100.0}), 4.0);
}

TEST(Median, OfAnEvenNumberIsTheUpperOfTheTwo) {
  EXPECT_EQ(median({1.0, 2.0}), 2.0);
  EXPECT_EQ(median({4.0, 1.0, 3.0, 2.0}), 3.0);
}

}  // namespace
}  // namespace convoy
