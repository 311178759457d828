#pragma once
// run.max-time: decides when to stop so that the last checkpoint is written in time. Private to the train
// room. Every rank has one; the earliest stop of any rank counts.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "convoy/core/clock.hpp"

namespace convoy::train {

class Deadline {
 public:
  /// Starts at `start`. `limit_seconds` 0: no limit. `state_bytes` gives the first estimate of a checkpoint's
  /// duration. `clock` must outlive it.
  Deadline(Clock::TimePoint start, std::int64_t limit_seconds, std::int64_t state_bytes,
           const Clock& clock = steady_clock())
      : clock_(clock),
        start_(start),
        limit_seconds_(static_cast<double>(limit_seconds)),
        save_seconds_(kLeastSaveSeconds + static_cast<double>(state_bytes) / kBytesPerSecond) {}

  /// Call once per step. True if the remaining time may be too short for another interval as long as the
  /// longest so far (a step and work around it, for example an evaluation) and two checkpoints as slow as the
  /// slowest.
  [[nodiscard]] bool is_near() {
    const double now = elapsed();
    longest_interval_ = std::max(longest_interval_, now - last_check_);
    last_check_ = now;
    return limit_seconds_ > 0 && now + longest_interval_ + 2 * save_seconds_ >= limit_seconds_;
  }

  /// Records the duration of a checkpoint.
  void saved_in(double seconds) { save_seconds_ = std::max(save_seconds_, seconds); }
  /// Excludes the time since the last step from the next interval.
  void restart() { last_check_ = elapsed(); }

 private:
  static constexpr double kLeastSaveSeconds = 0.1;
  static constexpr double kBytesPerSecond = 1e8;  // a slow disk; used until a checkpoint was measured

  [[nodiscard]] double elapsed() const { return Clock::Seconds(clock_.now() - start_).count(); }

  const Clock& clock_;
  Clock::TimePoint start_;
  double limit_seconds_;
  double save_seconds_;
  double last_check_ = elapsed();
  double longest_interval_ = 0;
};

}  // namespace convoy::train
