#pragma once
// A steady clock that is passed to code, so that tests can set the time; elsewhere pass steady_clock(). For
// deadlines and timeouts, a few per step; not for kernels and not for measuring kernels (use <chrono>).

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace convoy {

/// A monotonic clock. Thread-safe.
class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Seconds = std::chrono::duration<double>;

  Clock() = default;
  virtual ~Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  [[nodiscard]] virtual TimePoint now() const = 0;
  /// Waits until `is_over()` or until `most` has passed on this clock; returns is_over(). The caller holds
  /// `lock` and notifies `changed` when is_over() may have changed, as with condition_variable::wait_for.
  virtual bool wait_for(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Seconds most,
                        const std::function<bool()>& is_over) const = 0;
};

/// std::chrono::steady_clock; no state.
[[nodiscard]] inline const Clock& steady_clock() {
  class Steady final : public Clock {
   public:
    [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
    bool wait_for(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Seconds most,
                  const std::function<bool()>& is_over) const override {
      return changed.wait_for(lock, most, is_over);
    }
  };
  static const Steady steady;
  return steady;
}

}  // namespace convoy
