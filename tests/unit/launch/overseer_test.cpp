#include "convoy/launch/overseer.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>

namespace convoy::launch {
namespace {

TEST(Overseer, EndsWhatIsNotFollowedInTime) {
  std::mutex mutex;
  std::condition_variable told;
  std::string ended;
  Overseer overseer(0.02, [&](const std::string& what) {
    const std::lock_guard lock(mutex);
    ended = what;
    told.notify_all();
  });
  overseer.enter("first");
  overseer.enter("second");
  std::unique_lock lock(mutex);
  told.wait(lock, [&] { return !ended.empty(); });
  EXPECT_TRUE(ended == "second" || ended == "first") << ended;
}

TEST(Overseer, SaysNothingOfWhatIsInTimeOrNeverBegan) {
  bool has_ended = false;
  {
    Overseer idle(0.001, [&](const std::string&) { has_ended = true; });
    Overseer patient(1000, [&](const std::string&) { has_ended = true; });
    patient.enter("check");
  }
  EXPECT_FALSE(has_ended);
}

}  // namespace
}  // namespace convoy::launch
