#include "convoy/config/suggest.hpp"

#include <gtest/gtest.h>

namespace convoy::config {
namespace {

TEST(Nearest, FindsOneMistypedLetterAndSwappedNeighbours) {
  const std::vector<std::string> names{"train", "eval", "inspect"};
  EXPECT_EQ(nearest("trian", names), "train");
  EXPECT_EQ(nearest("evl", names), "eval");
  EXPECT_EQ(nearest("inspects", names), "inspect");
}

TEST(Nearest, SaysNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("bananas", {"train", "eval"}), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(DidYouMean, NamesTheCandidateOrNothing) {
  EXPECT_EQ(did_you_mean("tain", {"train"}), " (did you mean train?)");
  EXPECT_EQ(did_you_mean("zzzzz", {"train"}), "");
}

}  // namespace
}  // namespace convoy::config
