#include "deadline.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace convoy::train {
namespace {

using test::ManualClock;

// First estimate for a checkpoint: 0.1 s for an empty state, one second more for 100 MB.
constexpr std::int64_t kNoState = 0;
constexpr std::int64_t kLargeState = 1'000'000'000;

TEST(Deadline, IsNeverNearWithoutALimit) {
  ManualClock clock;
  Deadline deadline(clock.now(), 0, kNoState, clock);
  clock.advance(1e7);
  EXPECT_FALSE(deadline.is_near());
}

TEST(Deadline, LeavesTimeForAnotherIntervalAndTwoCheckpoints) {
  ManualClock clock;
  Deadline deadline(clock.now(), 100, kNoState, clock);
  for (int step = 1; step <= 9; ++step) {
    clock.advance(10);
    // now + 10 s + 2 · 0.1 s: 100.2 s after the ninth step, 90.2 s after the eighth.
    EXPECT_EQ(deadline.is_near(), step == 9) << step;
  }
}

TEST(Deadline, TakesTheLongestIntervalForTheNext) {
  ManualClock clock;
  Deadline deadline(clock.now(), 100, kNoState, clock);
  clock.advance(40);
  EXPECT_FALSE(deadline.is_near());  // 80.2 s
  clock.advance(19);
  EXPECT_FALSE(deadline.is_near());  // 99.2 s
  clock.advance(1);
  EXPECT_TRUE(deadline.is_near());  // 100.2 s; the longest interval counts, not the last one (1 s)
}

TEST(Deadline, GuessesALargeStateToTakeLong) {
  ManualClock clock;
  Deadline deadline(clock.now(), 100, kLargeState, clock);  // 10.1 s each
  clock.advance(39);
  EXPECT_FALSE(deadline.is_near());  // 98.2 s
  clock.advance(2);
  EXPECT_TRUE(deadline.is_near());  // 100.2 s
}

TEST(Deadline, TakesTheSlowestCheckpointForTheNext) {
  ManualClock clock;
  Deadline deadline(clock.now(), 100, kNoState, clock);
  deadline.saved_in(20);
  deadline.saved_in(3);
  clock.advance(29);
  EXPECT_FALSE(deadline.is_near());  // 98 s
  clock.advance(2);
  EXPECT_TRUE(deadline.is_near());  // 100 s
}

TEST(Deadline, DoesNotCountWhatPassedBeforeARestartAsAnInterval) {
  ManualClock clock;
  Deadline deadline(clock.now(), 100, kNoState, clock);
  clock.advance(45);
  deadline.restart();
  clock.advance(5);
  EXPECT_FALSE(deadline.is_near());  // 55.2 s; with an interval of 50 s it would be 100.2 s
}

TEST(Deadline, CountsFromItsStartAndNotFromItsConstruction) {
  ManualClock clock;
  const Clock::TimePoint start = clock.now();
  clock.advance(99.9);
  Deadline deadline(start, 100, kNoState, clock);
  EXPECT_TRUE(deadline.is_near());
}

}  // namespace
}  // namespace convoy::train
