#include "convoy/optim/schedule.hpp"

#include <gtest/gtest.h>

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

TEST(Schedule, RefusesAWarmUpLongerThanTheRun) {
  EXPECT_THROW(Schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 3), 2, 5), ConfigError);
  EXPECT_NO_THROW(Schedule(warmed_up(kind(ScheduleKind::kConstant, 1), 2), 2, 5));
}

}  // namespace
}  // namespace convoy::optim
