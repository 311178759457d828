#pragma once
// run.max-time: when to leave so that the last checkpoint is written before the time is over. Private to the
// train room; every rank holds one, and they agree on the earliest.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "convoy/core/clock.hpp"

namespace convoy::train {

class Deadline {
 public:
  /// Counts from `start`. `limit_seconds` 0: never. `state_bytes` gives a first guess of how long a
  /// checkpoint takes. `clock` must outlive it.
  Deadline(Clock::TimePoint start, std::int64_t limit_seconds, std::int64_t state_bytes,
           const Clock& clock = steady_clock())
      : clock_(clock),
        start_(start),
        limit_seconds_(static_cast<double>(limit_seconds)),
        save_seconds_(kLeastSaveSeconds + static_cast<double>(state_bytes) / kBytesPerSecond) {}

  /// Called once a step. True if another interval as long as the longest so far (a step, and what came with
  /// it, an evaluation say) and two checkpoints as slow as the slowest might not fit any more.
  [[nodiscard]] bool is_near() {
    const double now = elapsed();
    longest_interval_ = std::max(longest_interval_, now - last_check_);
    last_check_ = now;
    return limit_seconds_ > 0 && now + longest_interval_ + 2 * save_seconds_ >= limit_seconds_;
  }

  /// A checkpoint took so long.
  void saved_in(double seconds) { save_seconds_ = std::max(save_seconds_, seconds); }
  /// What has passed since the last step is no part of the next interval.
  void restart() { last_check_ = elapsed(); }

 private:
  static constexpr double kLeastSaveSeconds = 0.1;
  static constexpr double kBytesPerSecond = 1e8;  // a slow disk, until one was measured

  [[nodiscard]] double elapsed() const { return Clock::Seconds(clock_.now() - start_).count(); }

  const Clock& clock_;
  Clock::TimePoint start_;
  double limit_seconds_;
  double save_seconds_;
  double last_check_ = elapsed();
  double longest_interval_ = 0;
};

}  // namespace convoy::train
