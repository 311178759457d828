#include "convoy/step/profile.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace convoy::step {
namespace {

double sum(const Shares& shares) {
  return std::accumulate(shares.begin(), shares.end(), 0.0);
}

/// Each sum of at most five numbers below 1 has a rounding error of at most 2⁻⁵³ per addition.
constexpr double kRounding = 5 * 0x1p-53;

TEST(Shares, AreFractionsOfTheTotalAndTheRestIsOther) {
  const Shares shares = shares_of({.total = 8, .spent = {4, 1, 0.5, 0.5}});
  EXPECT_EQ(shares, (Shares{0.5, 0.125, 0.0625, 0.0625, 0.25}));
}

TEST(Shares, AddUpToOne) {
  EXPECT_NEAR(sum(shares_of({.total = 0.7, .spent = {0.1, 0.2, 0.3, 0.01}})), 1, kRounding);
  const RankShares ranks = shares_of_ranks({{.total = 0.7, .spent = {0.1, 0.2, 0.3, 0.01}},
                                            {.total = 1.1, .spent = {0.3, 0.3, 0.3, 0.1}},
                                            {.total = 0.9, .spent = {0.8, 0, 0, 0.1}}});
  EXPECT_NEAR(sum(ranks.mean), 1, 3 * kRounding);
}

TEST(Shares, OfRanksNameTheFirstWithTheLargestOfEach) {
  const RankShares ranks = shares_of_ranks({{.total = 4, .spent = {1, 1, 0, 0}},
                                            {.total = 4, .spent = {2, 1, 0, 1}},
                                            {.total = 4, .spent = {0, 2, 0, 1}}});
  EXPECT_EQ(ranks.mean, (Shares{0.25, 1. / 3, 0, 1. / 6, 0.25}));
  EXPECT_EQ(ranks.worst, (Shares{0.5, 0.5, 0, 0.25, 0.5}));
  EXPECT_EQ(ranks.worst_rank, (std::array<int, 5>{1, 2, 0, 1, 0}));
}

void wait_a_little() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

TEST(Profile, PartsOfAStepAreWithinItsTotal) {
  Profile profile(1);
  for (int step = 0; step < 3; ++step) {
    const StepTimer whole(&profile);
    PartTimer timer(&profile, 0);
    wait_a_little();
    timer.book(Activity::kKernels);
    timer.book(Activity::kData);
    PartTimer serial(&profile);
    wait_a_little();
    serial.book(Activity::kReduction);
  }
  const StepTimes times = profile.times();
  EXPECT_EQ(profile.steps(), 3);
  EXPECT_GE(times.spent[0], 3 * 0.002);
  EXPECT_GE(times.spent[1], 3 * 0.002);
  EXPECT_EQ(times.spent[3], 0);
  EXPECT_GE(times.total, std::accumulate(times.spent.begin(), times.spent.end(), 0.0));
}

TEST(Profile, TakesTheMeanOfTheThreads) {
  Profile one(1);
  Profile four(4);
  PartTimer of_one(&one, 0);
  PartTimer of_four(&four, 3);
  wait_a_little();
  of_four.book(Activity::kOptimizer);
  of_one.book(Activity::kOptimizer);  // called later, so it records at least as much
  EXPECT_GE(four.times().spent[3], 0.002 / 4);
  EXPECT_LE(four.times().spent[3], one.times().spent[3] / 4);
}

TEST(Profile, TimersOfNoProfileDoNothing) {
  const StepTimer whole(nullptr);
  PartTimer serial(static_cast<Profile*>(nullptr));
  PartTimer timer(nullptr, 7);
  EXPECT_NO_THROW(serial.book(Activity::kReduction));
  EXPECT_NO_THROW(timer.book(Activity::kData));
}

}  // namespace
}  // namespace convoy::step
