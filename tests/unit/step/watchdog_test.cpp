#include "convoy/step/watchdog.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "support/manual_clock.hpp"

namespace convoy::step {
namespace {

using test::ManualClock;

constexpr double kTimeout = 40;
constexpr double kPause = 1;                // the watchdog checks once per pause, at most a second
constexpr double kHiccup = 5 * kPause + 1;  // if the watchdog slept longer, its process was stopped

const std::vector<std::string> kHosts{"n0", "n1", "n2", "n3", "n4", "n5"};

/// A watchdog with a clock that only the test advances.
class WatchdogTest : public testing::Test {
 protected:
  /// Starts the watchdog of rank `rank`, which waits for rank `other`.
  std::unique_ptr<Watchdog> start(int rank, int other) {
    auto watchdog = std::make_unique<Watchdog>(
        rank, kHosts, kTimeout, heartbeat_,
        Watchdog::Others{.waits_for = [other] { return other; }, .find_unresponsive = {}},
        [this](const std::string& message) {
          message_ = message;
          clock_.give_up();
        },
        clock_);
    EXPECT_TRUE(clock_.await_sleeper());
    return watchdog;
  }

  /// Advances the clock by `seconds`; the watchdog checks after every pause. Returns its message; empty:
  /// none.
  std::string pass(double seconds) {
    for (double passed = 0; passed < seconds; passed += kPause) {
      clock_.advance(kPause);
      if (!clock_.await_sleeper()) return message_;
    }
    return {};
  }

  ManualClock clock_;
  Heartbeat heartbeat_;

 private:
  std::string message_;  // written before give_up(), read after await_sleeper()
};

TEST_F(WatchdogTest, SaysWhereItsRankIsAndWhomItWaitsFor) {
  const auto watchdog = start(3, 5);
  heartbeat_.enter(Phase::kEvaluation, 42);
  const std::string message = pass(2 * kTimeout);
  for (const char* part :
       {"no progress for 40 s", "step 42", "evaluating", "waits for rank 5 on n5", "[rank 3 on n3]"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST_F(WatchdogTest, NamesNobodyIfNobodyIsKnown) {
  const auto watchdog = start(0, -1);
  const std::string message = pass(2 * kTimeout);
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find("waits for"), std::string::npos) << message;
}

TEST_F(WatchdogTest, NamesNobodyIfItsRankWaitsForItself) {
  const auto watchdog = start(2, 2);
  const std::string message = pass(2 * kTimeout);
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find("waits for"), std::string::npos) << message;
}

TEST_F(WatchdogTest, IsSilentForTheTimeoutAndNotLonger) {
  const auto watchdog = start(0, -1);
  EXPECT_EQ(pass(kTimeout), "");
  EXPECT_NE(pass(kPause), "");
}

TEST_F(WatchdogTest, CountsFromTheLastTick) {
  const auto watchdog = start(0, -1);
  for (int i = 0; i < 4; ++i) {  // almost four timeouts in total
    EXPECT_EQ(pass(kTimeout - kPause), "");
    heartbeat_.tick();
  }
  EXPECT_EQ(pass(kPause + kTimeout), "");  // the first check detects the tick
  EXPECT_NE(pass(kPause), "");
}

TEST_F(WatchdogTest, CountsFromTheLastPhase) {
  const auto watchdog = start(0, -1);
  EXPECT_EQ(pass(kTimeout - kPause), "");
  heartbeat_.enter(Phase::kCheckpoint, 1);
  EXPECT_EQ(pass(kPause + kTimeout), "");
}

TEST_F(WatchdogTest, StartsAnewAfterItsOwnProcessWasStopped) {
  const auto watchdog = start(0, -1);
  clock_.advance(2 * kTimeout);  // with no check in between
  ASSERT_TRUE(clock_.await_sleeper());
  EXPECT_EQ(pass(kTimeout), "");
  EXPECT_NE(pass(kPause), "");
}

TEST_F(WatchdogTest, ALateLookIsNoStop) {
  const auto watchdog = start(0, -1);
  EXPECT_EQ(pass(kTimeout - kHiccup), "");
  clock_.advance(kHiccup);
  ASSERT_TRUE(clock_.await_sleeper());
  EXPECT_NE(pass(kPause), "");
}

TEST_F(WatchdogTest, CallsTheRollBeforeItEnds) {
  std::promise<void> called;
  {
    const Watchdog watchdog(
        0, kHosts, kTimeout, heartbeat_,
        {.waits_for = [] { return -1; },
         .find_unresponsive =
             [&called] {
               called.set_value();
               return std::vector<int>();
             }},
        [this](const std::string&) { clock_.give_up(); }, clock_);
    ASSERT_TRUE(clock_.await_sleeper());
    pass(2 * kTimeout);
    called.get_future().wait();  // called on its own thread
  }
}

TEST_F(WatchdogTest, IsNotThereWithoutATimeout) {
  const Watchdog never(
      0, kHosts, 0, heartbeat_, {.waits_for = [] { return -1; }, .find_unresponsive = {}},
      [](const std::string& message) { ADD_FAILURE() << message; }, clock_);
  clock_.advance(1e6);
}

TEST_F(WatchdogTest, LeavesInTheMiddleOfAPause) {
  auto watchdog = start(0, -1);
  watchdog.reset();  // the clock does not advance: only the notification wakes the watchdog
}

}  // namespace
}  // namespace convoy::step
