#include "convoy/train/watchdog.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace convoy::train {
namespace {

using namespace std::chrono_literals;

constexpr double kTimeout = 0.3;

/// What a watchdog said, if it did.
class Words {
 public:
  Watchdog::End end() {
    return [this](const std::string& message) {
      const std::lock_guard lock(mutex_);
      message_ = message;
    };
  }
  [[nodiscard]] std::string get() {
    const std::lock_guard lock(mutex_);
    return message_;
  }
  /// Waits for them, ten times as long as they should take.
  std::string wait() {
    for (int i = 0; i < 300 && get().empty(); ++i) std::this_thread::sleep_for(10ms);
    return get();
  }

 private:
  std::mutex mutex_;
  std::string message_;
};

TEST(Watchdog, SaysWhereItsRankIsAndWhomItWaitsFor) {
  Words words;
  Watchdog watchdog(
      3, kTimeout, [] { return 5; }, words.end());
  watchdog.enter(Phase::kEvaluation, 42);
  const std::string message = words.wait();
  for (const char* part :
       {"no progress for 0.3 s", "step 42", "evaluating", "waits for rank 5", "[rank 3 on "})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Watchdog, NamesNobodyWhereNobodyIsKnown) {
  Words words;
  const Watchdog watchdog(
      0, kTimeout, [] { return -1; }, words.end());
  const std::string message = words.wait();
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find("waits for"), std::string::npos) << message;
}

TEST(Watchdog, IsSilentWhileSomethingGoesOn) {
  Words words;
  Watchdog watchdog(
      0, kTimeout, [] { return -1; }, words.end());
  for (int i = 0; i < 60; ++i) {  // twice the time
    watchdog.tick();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(words.get(), "");
}

TEST(Watchdog, IsNotThereWithoutATimeoutAndLeavesAtOnce) {
  Words words;
  {
    const Watchdog never(
        0, 0, [] { return -1; }, words.end());
  }
  const auto begin = std::chrono::steady_clock::now();
  {
    const Watchdog patient(
        0, 1000, [] { return -1; }, words.end());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100s);
  EXPECT_EQ(words.get(), "");
}

}  // namespace
}  // namespace convoy::train
