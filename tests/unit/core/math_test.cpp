#include "convoy/core/math.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace convoy::math {
namespace {

constexpr double kUlp = 0x1p-52;

TEST(Math, ExpIsWithinTwoUlpOfTheCLibrary) {
  for (double x = -700; x < 700; x += 0.37) EXPECT_NEAR(exp(x) / std::exp(x), 1, 2 * kUlp) << x;
}

TEST(Math, ExpOfTheEdges) {
  EXPECT_EQ(exp(0), 1);
  EXPECT_EQ(exp(-800), 0);
  EXPECT_EQ(exp(800), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(exp(std::nan(""))));
}

TEST(Math, LogIsWithinTwoUlpOfTheCLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 3.7) EXPECT_NEAR(log(x) / std::log(x), 1, 2 * kUlp) << x;
  for (double x = 0.5; x < 2; x += 0.0137) EXPECT_NEAR(log(x), std::log(x), 2 * kUlp) << x;
}

TEST(Math, LogOfTheEdges) {
  EXPECT_EQ(log(1), 0);
  EXPECT_EQ(log(0), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(log(-1)));
}

TEST(Math, Log1pKeepsSmallArguments) {
  for (double x = 1e-18; x < 10; x *= 1.9) EXPECT_NEAR(log1p(x) / std::log1p(x), 1, 4 * kUlp) << x;
}

TEST(Math, SineAndCosineAreWithinTwoUlpOfOne) {
  for (double x = -50; x < 50; x += 0.0731) {
    EXPECT_NEAR(sin(x), std::sin(x), 2 * kUlp) << x;
    EXPECT_NEAR(cos(x), std::cos(x), 2 * kUlp) << x;
  }
}

}  // namespace
}  // namespace convoy::math
