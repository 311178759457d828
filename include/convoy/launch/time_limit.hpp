#pragma once
// Limits the time of operations that may hang (a file system that does not answer, a missing rank): a thread
// calls a function if an operation takes too long. For `doctor`, whose checks use broken parts of a machine.

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
  /// Called on the thread of TimeLimit if `seconds` have passed since enter(what) without another enter().
  /// Should not return: the operation stays stuck.
  using End = std::function<void(const std::string& what)>;

  /// `clock` must outlive this object.
  TimeLimit(double seconds, End end, const Clock& clock = steady_clock());
  ~TimeLimit();
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  /// Operation `what` begins; the previous one has ended.
  void enter(const std::string& what);

 private:
  void watch();

  Clock::Seconds seconds_;
  End end_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;
  std::int64_t entered_ = 0;  // number of calls of enter()
  std::optional<Clock::TimePoint> deadline_;
  bool is_leaving_ = false;
  std::thread thread_;  // declared last: it uses the other members
};

}  // namespace convoy::launch
