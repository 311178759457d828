#include "convoy/optim/plateau.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "convoy/optim/schedule.hpp"

namespace convoy::optim {
namespace {

/// Reductions after each of the epochs with these metrics.
std::vector<std::int64_t> reductions_of(const PlateauOptions& options, const std::vector<double>& values) {
  Plateau plateau;
  std::vector<std::int64_t> reductions;
  for (const double value : values) {
    plateau.add_epoch(options, value);
    reductions.push_back(plateau.reductions);
  }
  return reductions;
}

using Counts = std::vector<std::int64_t>;

TEST(Plateau, ReducesAfterOneBadEpochMoreThanItsPatience) {
  // Best 2, then 1; from the third epoch on nothing is better, and patience begins anew at each reduction.
  EXPECT_EQ(reductions_of({.patience = 1}, {2, 1, 1, 1, 1, 1, 1}), (Counts{0, 0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(reductions_of({.patience = 0}, {2, 3, 1, 1}), (Counts{0, 1, 1, 2}));
}

TEST(Plateau, ABetterEpochBeginsAnew) {
  EXPECT_EQ(reductions_of({.patience = 1}, {3, 4, 2, 4, 1, 4}), (Counts{0, 0, 0, 0, 0, 0}));
}

TEST(Plateau, BetterIsByMoreThanTheThreshold) {
  EXPECT_EQ(reductions_of({.patience = 0, .threshold = 0.1}, {10, 9.5, 8.9}), (Counts{0, 1, 1}));
  EXPECT_EQ(reductions_of({.metric = PlateauMetric::kAccuracy, .patience = 0, .threshold = 0.1},
                          {0.5, 0.54, 0.56, 0.3}),
            (Counts{0, 1, 1, 2}));
}

TEST(Plateau, NotANumberIsNeverBetterAndNeverTheBest) {
  EXPECT_EQ(reductions_of({.patience = 1}, {std::nan(""), 2, std::nan(""), 1, std::nan(""), std::nan("")}),
            (Counts{0, 0, 0, 0, 0, 1}));
}

TEST(PlateauSchedule, MultipliesTheRateDownToTheLeast) {
  ScheduleOptions options;
  options.kind = ScheduleKind::kPlateau;
  options.lr = 1;
  options.warmup_epochs = 1;
  options.step_factor = 0.25;
  options.final_lr = 0.05;
  const Schedule schedule(options, 3, 2);
  EXPECT_EQ(schedule.rate(0, 3), 0.5);
  EXPECT_EQ(schedule.rate(2), 1);
  EXPECT_EQ(schedule.rate(2, 1), 0.25);
  EXPECT_EQ(schedule.rate(5, 2), 0.0625);
  EXPECT_EQ(schedule.rate(5, 3), 0.05);
  EXPECT_EQ(schedule.rate(5, 30), 0.05);
}

}  // namespace
}  // namespace convoy::optim
