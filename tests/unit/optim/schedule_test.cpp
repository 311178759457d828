#include "convoy/optim/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "convoy/core/error.hpp"

namespace convoy::optim {
namespace {

// A learning rate needs a few operations in double; each rounds by 2⁻⁵³ of a number of at most 1.
constexpr double kTolerance = 16 * 0x1p-53;

ScheduleOptions kind(ScheduleKind which, double lr) {
  ScheduleOptions options;
  options.kind = which;
  options.lr = lr;
  return options;
}

ScheduleOptions warmed_up(ScheduleOptions options, double epochs) {
  options.warmup_epochs = epochs;
  return options;
}

ScheduleOptions ending_at(ScheduleOptions options, double final_lr) {
  options.final_lr = final_lr;
  return options;
}

TEST(Schedule, ConstantIsTheRateOfEveryStep) {
  const Schedule schedule(kind(ScheduleKind::kConstant, 0.3), 2, 5);
  for (int step = 0; step < 10; ++step) EXPECT_EQ(schedule.rate(step), 0.3);
}

TEST(Schedule, WarmUpRisesByEqualPartsAndEndsAtTheRate) {
  const Schedule schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 1), 3, 4);
  EXPECT_EQ(schedule.rate(0), 0.25);
  EXPECT_EQ(schedule.rate(1), 0.5);
  EXPECT_EQ(schedule.rate(3), 1.0);
  EXPECT_EQ(schedule.rate(4), 1.0);
}

TEST(Schedule, AFractionOfAnEpochWarmsUpOverTheStepsItTouches) {
  const Schedule schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 0.3), 1,
                          5);  // W = ⌈1.5⌉
  EXPECT_EQ(schedule.rate(0), 0.5);
  EXPECT_EQ(schedule.rate(1), 1.0);
}

TEST(Schedule, CosineFallsFromTheRateAfterWarmUpToTheFinalRate) {
  const Schedule schedule(ending_at(warmed_up(kind(ScheduleKind::kCosine, 1), 1), 0.2), 3, 4);
  // W = 4, U = 8; u/U = 0, 1/4, 1/2, 3/4.
  EXPECT_NEAR(schedule.rate(4), 1.0, kTolerance);
  EXPECT_NEAR(schedule.rate(6), 0.2 + 0.8 * (1 + 0.70710678118654752) / 2, kTolerance);
  EXPECT_NEAR(schedule.rate(8), 0.6, kTolerance);
  EXPECT_NEAR(schedule.rate(10), 0.2 + 0.8 * (1 - 0.70710678118654752) / 2, kTolerance);
}

TEST(Schedule, LinearFallsByEqualParts) {
  const Schedule schedule(ending_at(kind(ScheduleKind::kLinear, 1), 0.5), 1, 4);
  EXPECT_NEAR(schedule.rate(0), 1.0, kTolerance);
  EXPECT_NEAR(schedule.rate(1), 0.875, kTolerance);
  EXPECT_NEAR(schedule.rate(3), 0.625, kTolerance);
}

TEST(Schedule, StepMultipliesAtEachNamedEpochsFirstStep) {
  const Schedule schedule({.kind = ScheduleKind::kStep, .lr = 1, .step_epochs = {1, 2.5}, .step_factor = 0.5},
                          4, 4);
  EXPECT_EQ(schedule.rate(3), 1.0);
  EXPECT_EQ(schedule.rate(4), 0.5);
  EXPECT_EQ(schedule.rate(9), 0.5);
  EXPECT_EQ(schedule.rate(10), 0.25);  // 2.5 epochs of 4 steps
}

TEST(Schedule, StepEveryFewEpochsMultipliesEachTime) {
  const Schedule schedule({.kind = ScheduleKind::kStep, .lr = 1, .step_every = 1.5, .step_factor = 0.5}, 8,
                          4);
  for (std::int64_t step = 0; step < 32; ++step)
    EXPECT_EQ(schedule.rate(step), std::ldexp(1, -static_cast<int>(step / 6))) << step;
  // 0.07·100 is a little more than 7 in double, and 7 here.
  const Schedule uneven({.kind = ScheduleKind::kStep, .lr = 1, .step_every = 0.07, .step_factor = 0.5}, 1,
                        100);
  EXPECT_EQ(uneven.rate(6), 1);
  EXPECT_EQ(uneven.rate(7), 0.5);
}

TEST(Schedule, CountsStepsIfItsUnitIsSteps) {
  const Schedule schedule({.kind = ScheduleKind::kStep,
                           .lr = 1,
                           .unit = ScheduleUnit::kSteps,
                           .warmup_epochs = 2,
                           .step_epochs = {3, 5},
                           .step_factor = 0.5},
                          1, 100);
  const std::vector<double> rates{0.5, 1, 1, 0.5, 0.5, 0.25, 0.25};
  for (std::size_t step = 0; step < rates.size(); ++step)
    EXPECT_EQ(schedule.rate(static_cast<std::int64_t>(step)), rates[step]) << step;
}

TEST(Schedule, CosineRestartsAtTheRateWithLongerAndLongerPeriods) {
  ScheduleOptions options = ending_at(warmed_up(kind(ScheduleKind::kCosine, 1), 0.5), 0.2);
  options.restart_epochs = 1;
  options.restart_factor = 2;
  const Schedule schedule(options, 8, 4);  // W = 2; periods of 4, 8, 16 steps begin at 2, 6, 14
  for (const std::int64_t begin : {2, 6, 14}) EXPECT_NEAR(schedule.rate(begin), 1, kTolerance) << begin;
  EXPECT_NEAR(schedule.rate(4), 0.6, kTolerance);
  EXPECT_NEAR(schedule.rate(10), 0.6, kTolerance);
  EXPECT_NEAR(schedule.rate(22), 0.6, kTolerance);
  EXPECT_NEAR(schedule.rate(13), 0.2 + 0.8 * (1 - 0.92387953251128674) / 2, kTolerance);  // cos(7π/8)
}

TEST(Schedule, CosineRestartsOfOneLengthArePeriodic) {
  ScheduleOptions options = kind(ScheduleKind::kCosine, 1);
  options.restart_epochs = 1.25;  // 5 steps
  const Schedule schedule(options, 10, 4);
  for (std::int64_t step = 0; step < 35; ++step)
    EXPECT_NEAR(schedule.rate(step + 5), schedule.rate(step), kTolerance) << step;
  EXPECT_GT(schedule.rate(4), 0);
  // One that is longer than the run does not restart in it.
  options.restart_epochs = 20;
  EXPECT_NEAR(Schedule(options, 10, 4).rate(39), (1 + 0.03925981575906861) / 2, kTolerance);  // cos(39π/80)
}

TEST(Schedule, PolynomialIsAPowerOfThePartThatIsLeft) {
  const Schedule schedule(ending_at(kind(ScheduleKind::kPolynomial, 1), 0.2), 1, 4);
  const std::vector<double> rates{1, 0.2 + 0.8 * 9 / 16, 0.4, 0.2 + 0.8 / 16};
  for (std::size_t step = 0; step < rates.size(); ++step)
    EXPECT_NEAR(schedule.rate(static_cast<std::int64_t>(step)), rates[step], kTolerance) << step;
  ScheduleOptions linear = ending_at(kind(ScheduleKind::kPolynomial, 1), 0.5);
  linear.power = 1;
  EXPECT_NEAR(Schedule(linear, 1, 4).rate(3), 0.625, kTolerance);
}

TEST(Schedule, OneCycleRisesToItsPeakAndFallsToItsEnd) {
  ScheduleOptions options = kind(ScheduleKind::kOneCycle, 2);
  options.peak = 0.3;
  options.start_factor = 0.1;
  options.end_factor = 0.01;
  const Schedule schedule(options, 2, 10);  // peak at 0.3·20 − 1 = 5, end at 19
  EXPECT_NEAR(schedule.rate(0), 0.2, kTolerance);
  EXPECT_NEAR(schedule.rate(5), 2, kTolerance);
  EXPECT_NEAR(schedule.rate(12), (2 + 0.02) / 2, kTolerance);
  EXPECT_NEAR(schedule.rate(19), 0.02, kTolerance);
  options.anneal = Anneal::kLinear;
  const Schedule lines(options, 2, 10);
  EXPECT_NEAR(lines.rate(0), 0.2, kTolerance);
  EXPECT_NEAR(lines.rate(2), 0.2 + 1.8 * 2 / 5, kTolerance);
  EXPECT_NEAR(lines.rate(5), 2, kTolerance);
  EXPECT_NEAR(lines.rate(19), 0.02, kTolerance);
}

// A peak before the first step or at the last one, and a run of one step: no division by zero.
TEST(Schedule, OneCycleAndTriangularAreFiniteWhereverTheirPeakIs) {
  for (const ScheduleKind each : {ScheduleKind::kOneCycle, ScheduleKind::kTriangular}) {
    for (const double peak : {0., 0.05, 0.1, 0.999, 1.}) {
      for (const std::int64_t steps : {1, 2, 10}) {
        ScheduleOptions options = kind(each, 1);
        options.peak = peak;
        const Schedule schedule(options, 1, steps);
        for (std::int64_t step = 0; step < steps; ++step) {
          EXPECT_GE(schedule.rate(step), 0) << peak << ' ' << steps << ' ' << step;
          EXPECT_LE(schedule.rate(step), 1) << peak << ' ' << steps << ' ' << step;
        }
      }
    }
  }
}

// The recipe of airbench94: 0.2 at first, 1 after 23 % of the steps, then down to 0.07.
TEST(Schedule, TriangularIsALineUpAndALineDown) {
  ScheduleOptions options = kind(ScheduleKind::kTriangular, 10);
  options.peak = 0.23;
  options.start_factor = 0.2;
  options.end_factor = 0.07;
  const Schedule schedule(options, 1, 100);
  EXPECT_NEAR(schedule.rate(0), 2, 10 * kTolerance);
  EXPECT_NEAR(schedule.rate(10), 10 * (0.2 + 0.8 * 10 / 23), 10 * kTolerance);
  EXPECT_NEAR(schedule.rate(23), 10, 10 * kTolerance);
  EXPECT_NEAR(schedule.rate(99), 10 * (1 - 0.93 * 76 / 77), 10 * kTolerance);
}

TEST(Schedule, RatesFollowTheBatchLinearlyOrByItsRoot) {
  ScheduleOptions options = ending_at(kind(ScheduleKind::kCosine, 0.1), 0.01);
  EXPECT_EQ(scaled_to_batch(options, 1024).lr, 0.1);
  EXPECT_EQ(describe_scaling(options, 1024), "");
  options.scaling = BatchScaling::kLinear;
  EXPECT_EQ(scaled_to_batch(options, 1024).lr, 0.4);
  EXPECT_EQ(scaled_to_batch(options, 1024).final_lr, 0.04);
  EXPECT_EQ(
      describe_scaling(options, 1024),
      "0.4 (schedule.lr = 0.1 times 1,024 / 256, train.batch / schedule.base-batch, as schedule.scale-lr = "
      "linear)");
  options.scaling = BatchScaling::kSquareRoot;
  options.base_batch = 64;
  EXPECT_EQ(scaled_to_batch(options, 1024).lr, 0.4);
  EXPECT_EQ(scaled_to_batch(options, 16).lr, 0.05);
}

TEST(Schedule, RefusesAPeriodShorterThanAStep) {
  ScheduleOptions options = kind(ScheduleKind::kCosine, 1);
  options.restart_epochs = 0.1;
  EXPECT_THROW(Schedule(options, 2, 5), ConfigError);
  EXPECT_NO_THROW(Schedule(options, 2, 10));
}

TEST(Schedule, RefusesAWarmUpInStepsLongerThanTheRun) {
  ScheduleOptions options = warmed_up(kind(ScheduleKind::kConstant, 1), 11);
  options.unit = ScheduleUnit::kSteps;
  EXPECT_THROW(Schedule(options, 2, 5), ConfigError);
  options.warmup_epochs = 10;
  EXPECT_NO_THROW(Schedule(options, 2, 5));
}

TEST(Schedule, RefusesAWarmUpLongerThanTheRun) {
  EXPECT_THROW(Schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 3), 2, 5), ConfigError);
  EXPECT_NO_THROW(Schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 2), 2, 5));
}

}  // namespace
}  // namespace convoy::optim
