#pragma once
// Bounds the time of what may never end (a file system that does not answer, a rank that does not come): a
// thread that calls an end when something takes too long. For `doctor`, whose checks go into whatever is
// broken.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "convoy/core/clock.hpp"

namespace convoy::launch {

class TimeLimit {
 public:
  /// Called on the time_limit's thread when `what` has not been followed by the next after so many seconds.
  /// Should not come back: what is stuck stays so.
  using End = std::function<void(const std::string& what)>;

  /// `clock` must outlive it.
  TimeLimit(double seconds, End end, const Clock& clock = steady_clock());
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  /// `what` begins, whatever was before has ended.
  void enter(const std::string& what);

 private:
  void watch();

  Clock::Seconds seconds_;
  End end_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  std::int64_t entered_ = 0;  // how often enter() was called
  std::optional<Clock::TimePoint> deadline_;
  bool is_leaving_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace convoy::launch
