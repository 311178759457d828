#include "convoy/step/watchdog.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace convoy::step {
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

const std::vector<std::string> kHosts{"n0", "n1", "n2", "n3", "n4", "n5"};

TEST(Watchdog, SaysWhereItsRankIsAndWhomItWaitsFor) {
  Words words;
  Watchdog watchdog(3, kHosts, kTimeout, {.waits_for = [] { return 5; }, .roll_call = {}}, words.end());
  watchdog.enter(Phase::kEvaluation, 42);
  const std::string message = words.wait();
  for (const char* part :
       {"no progress for 0.3 s", "step 42", "evaluating", "waits for rank 5 on n5", "[rank 3 on n3]"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Watchdog, NamesNobodyWhereNobodyIsKnown) {
  Words words;
  const Watchdog watchdog(0, kHosts, kTimeout, {.waits_for = [] { return -1; }, .roll_call = {}},
                          words.end());
  const std::string message = words.wait();
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find("waits for"), std::string::npos) << message;
}

TEST(Watchdog, IsSilentWhileSomethingGoesOn) {
  Words words;
  Watchdog watchdog(0, kHosts, kTimeout, {.waits_for = [] { return -1; }, .roll_call = {}}, words.end());
  for (int i = 0; i < 60; ++i) {  // twice the time
    watchdog.tick();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(words.get(), "");
}

TEST(Watchdog, IsNotThereWithoutATimeoutAndLeavesAtOnce) {
  Words words;
  {
    const Watchdog never(0, kHosts, 0, {.waits_for = [] { return -1; }, .roll_call = {}}, words.end());
  }
  const auto begin = std::chrono::steady_clock::now();
  {
    const Watchdog patient(0, kHosts, 1000, {.waits_for = [] { return -1; }, .roll_call = {}}, words.end());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 100s);
  EXPECT_EQ(words.get(), "");
}

}  // namespace
}  // namespace convoy::step
