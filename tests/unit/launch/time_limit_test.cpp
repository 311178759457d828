#include "convoy/launch/time_limit.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/manual_clock.hpp"

namespace convoy::launch {
namespace {

constexpr double kSeconds = 40;

/// A TimeLimit with a clock that only this test advances.
class TimeLimitTest : public testing::Test {
 protected:
  void enter(const std::string& what) {
    time_limit_.enter(what);
    ASSERT_TRUE(clock_.await_sleeper());
  }
  /// Advances the clock by `seconds` and returns the operation that was ended, or an empty string. Stops at
  /// the first.
  std::string pass(double seconds) {
    clock_.advance(seconds);
    return clock_.await_sleeper() ? std::string() : ended_;
  }

 private:
  test::ManualClock clock_;
  std::string ended_;  // written before give_up(), read after await_sleeper()
  TimeLimit time_limit_{kSeconds,
                        [this](const std::string& what) {
                          ended_ = what;
                          clock_.give_up();
                        },
                        clock_};
};

TEST_F(TimeLimitTest, EndsWhatIsNotFollowedInTime) {
  enter("first");
  EXPECT_EQ(pass(kSeconds - 1), "");
  EXPECT_EQ(pass(2), "first");
}

TEST_F(TimeLimitTest, GivesWhatFollowsAllItsTime) {
  enter("first");
  EXPECT_EQ(pass(kSeconds - 1), "");
  enter("second");
  EXPECT_EQ(pass(kSeconds - 1), "");
  EXPECT_EQ(pass(2), "second");
}

TEST(TimeLimit, SaysNothingOfWhatNeverBegan) {
  const test::ManualClock clock;
  const TimeLimit idle(
      kSeconds, [](const std::string& what) { ADD_FAILURE() << what; }, clock);
}

TEST(TimeLimit, LeavesWhileSomethingIsUnderWay) {
  const test::ManualClock clock;
  TimeLimit patient(
      kSeconds, [](const std::string& what) { ADD_FAILURE() << what; }, clock);
  patient.enter("check");
}

}  // namespace
}  // namespace convoy::launch
