#pragma once
// What a rank's threads say of their progress, and the watchdog reads.

#include <atomic>
#include <cstdint>

namespace convoy::step {

/// What a rank's compute thread is at.
enum class Phase : int { kData, kStep, kEvaluation, kCheckpoint, kAgreement };

class Heartbeat {
 public:
  /// The compute thread goes on to something else.
  void enter(Phase phase, std::int64_t step) {
    phase_.store(phase, std::memory_order_relaxed);
    step_.store(step, std::memory_order_relaxed);
    tick();
  }
  /// Something goes on. Any thread, as often as it likes.
  void tick() { ticks_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t step() const { return step_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t ticks() const { return ticks_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Phase> phase_{Phase::kStep};
  std::atomic<std::int64_t> step_{0};
  std::atomic<std::int64_t> ticks_{0};
};

}  // namespace convoy::step
