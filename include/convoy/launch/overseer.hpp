#pragma once
// Bounds the time of what may never end (a file system that does not answer, a rank that does not come): a
// thread that calls an end when something takes too long. For `doctor`, whose checks go into whatever is
// broken.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace convoy::launch {

class Overseer {
 public:
  /// Called on the overseer's thread when `what` has not been followed by the next after so many seconds.
  /// Should not come back: what is stuck stays so.
  using End = std::function<void(const std::string& what)>;

  Overseer(double seconds, End end);
  ~Overseer();
  Overseer(const Overseer&) = delete;
  Overseer& operator=(const Overseer&) = delete;

  /// `what` begins, whatever was before has ended.
  void enter(const std::string& what);

 private:
  using Clock = std::chrono::steady_clock;
  void watch();

  std::chrono::duration<double> seconds_;
  End end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool is_leaving_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace convoy::launch
