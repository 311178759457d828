#include "convoy/train/rate_sweep.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace convoy::train {
namespace {

/// A sweep over losses at the rates 1, 2, 4, …; it ends where it diverges.
RateSweep sweep_of(const std::vector<double>& losses) {
  RateSweep sweep;
  double rate = 1;
  for (const double loss : losses) {
    if (add_point(sweep, rate, loss)) break;
    rate *= 2;
  }
  return sweep;
}

TEST(RateSweep, RatesRiseByEqualFactorsFromTheFirstToTheLast) {
  const SweepRequest request{.from = 1e-3, .to = 10, .steps = 5};
  for (std::int64_t step = 0; step < 5; ++step)
    EXPECT_NEAR(sweep_rate(request, step) / std::pow(10., static_cast<double>(step) - 3), 1, 1e-14) << step;
}

TEST(RateSweep, SmoothsByWeightsThatFallByATenthWorkedByHand) {
  const RateSweep sweep = sweep_of({1, 3, 2});
  EXPECT_EQ(sweep.points[0].smoothed, 1);
  EXPECT_NEAR(sweep.points[1].smoothed, (0.9 * 1 + 3) / 1.9, 1e-15);
  EXPECT_NEAR(sweep.points[2].smoothed, (0.81 * 1 + 0.9 * 3 + 2) / 2.71, 1e-15);
  EXPECT_FALSE(sweep.diverged);
  EXPECT_FALSE(sweep.tenth_of_divergence());
}

TEST(RateSweep, EndsWhereTheLossIsFourTimesItsBestOrNoNumber) {
  const RateSweep high = sweep_of({1, 1, 1, 100, 100});
  EXPECT_TRUE(high.diverged);
  EXPECT_EQ(high.points.size(), 4U);
  EXPECT_EQ(high.tenth_of_divergence(), 0.8);
  const RateSweep none = sweep_of({1, std::nan(""), 1});
  EXPECT_TRUE(none.diverged);
  EXPECT_EQ(none.points.size(), 2U);
  EXPECT_EQ(sweep_of({1, 1, 1, 2, 3, 3.5}).points.size(), 6U);
}

TEST(RateSweep, IsSteepestWhereTheSmoothedLossFallsFastest) {
  std::vector<double> losses(10, 10);
  losses.insert(losses.end(), {9, 6, 2, 1.5, 1.4, 1.4, 1.4, 1.5, 3, 8, 15});
  const RateSweep sweep = sweep_of(losses);
  std::size_t steepest = 1;
  for (std::size_t i = 1; i + 1 < sweep.points.size(); ++i) {
    const auto fall = [&](std::size_t at) {
      return sweep.points[at - 1].smoothed - sweep.points[at + 1].smoothed;
    };
    if (fall(i) > fall(steepest)) steepest = i;
  }
  EXPECT_EQ(sweep.steepest(), sweep.points[steepest].rate);
  EXPECT_EQ(sweep.steepest(), std::ldexp(1, 12));  // the loss of 2, whose neighbours differ most
  EXPECT_FALSE(sweep_of({1, 1.5, 2, 2.5, 2.6, 2.7}).steepest());
  EXPECT_FALSE(sweep_of({1}).steepest());
}

}  // namespace
}  // namespace convoy::train
