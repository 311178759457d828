#pragma once
// Progress of a rank's threads: they write it, the watchdog reads it.

#include <atomic>
#include <cstdint>

namespace convoy::step {

/// Current phase of a rank's compute thread.
enum class Phase : int { kData, kStep, kEvaluation, kCheckpoint, kAgreement };

class Heartbeat {
 public:
  /// The compute thread starts another phase.
  void enter(Phase phase, std::int64_t step) {
    phase_.store(phase, std::memory_order_relaxed);
    step_.store(step, std::memory_order_relaxed);
    tick();
  }
  /// Reports progress. Any thread, any number of times.
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
