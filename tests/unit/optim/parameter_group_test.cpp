#include "convoy/optim/parameter_group.hpp"

#include <gtest/gtest.h>

namespace convoy::optim {
namespace {

TEST(Matches, StarsStandForAnyCharacters) {
  EXPECT_TRUE(matches("conv1.weight", "conv1.weight"));
  EXPECT_TRUE(matches("*", "conv1.weight"));
  EXPECT_TRUE(matches("*.bias", "batchnorm12.bias"));
  EXPECT_TRUE(matches("batchnorm*.bias", "batchnorm12.bias"));
  EXPECT_TRUE(matches("batchnorm*", "batchnorm12.bias"));
  EXPECT_TRUE(matches("conv1*.weight", "conv1.weight"));
  EXPECT_TRUE(matches("*a*b*", "xxabxbbx"));
  EXPECT_TRUE(matches("*aab", "aaaab"));
  EXPECT_TRUE(matches("**.*", "conv1.weight"));
}

TEST(Matches, OtherCharactersStandForThemselvesAndTheWholeNameCounts) {
  EXPECT_FALSE(matches("conv1", "conv1.weight"));
  EXPECT_FALSE(matches("weight", "conv1.weight"));
  EXPECT_FALSE(matches("conv1.weight", "conv11.weight"));
  EXPECT_FALSE(matches("conv1.weight.", "conv1.weight"));
  EXPECT_FALSE(matches("conv?.weight", "conv1.weight"));
  EXPECT_FALSE(matches("*.bias", "batchnorm1.bias2"));
  EXPECT_FALSE(matches("*a*b", "xbxa"));
  EXPECT_FALSE(matches("", "a"));
}

}  // namespace
}  // namespace convoy::optim
