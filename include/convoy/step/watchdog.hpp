#pragma once
// A rank that stops answering ends the job instead of hanging it: a thread that sees nothing go on for too
// long says where its rank is and whom it waits for, and ends the process with status 6 (the launcher then
// ends the others). It calls neither MPI nor HDF5, which may be what hangs; a further thread calls the roll,
// by MPI.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "convoy/core/clock.hpp"

namespace convoy::step {

/// What a rank's compute thread is at.
enum class Phase : int { kData, kStep, kEvaluation, kCheckpoint, kAgreement };

class Watchdog {
 public:
  /// Ends the process: prints `message` and does not come back. Tests give their own.
  using End = std::function<void(const std::string& message)>;

  /// What is known of the other ranks. Called on threads of the watchdog.
  struct Others {
    std::function<int()> waits_for;  ///< the one that is waited for, −1: not known
    std::function<std::vector<int>()>
        roll_call;  ///< those that do not answer; may hang, or be empty: nobody is asked
  };

  /// For rank `rank`, watched from now on; `hosts` by rank. `timeout_seconds` 0: never. `end` is called on
  /// the watchdog's thread. `clock` must outlive it.
  Watchdog(int rank, std::vector<std::string> hosts, double timeout_seconds, Others others,
           End end = end_process, const Clock& clock = steady_clock());
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// The compute thread goes on to something else.
  void enter(Phase phase, std::int64_t step) {
    phase_.store(static_cast<int>(phase), std::memory_order_relaxed);
    step_.store(step, std::memory_order_relaxed);
    tick();
  }
  /// Something goes on. Any thread, as often as it likes.
  void tick() { ticks_.fetch_add(1, std::memory_order_relaxed); }

  /// Prints to standard error and ends the process with status 6, some seconds later, so that every rank that
  /// is stuck can say so.
  [[noreturn]] static void end_process(const std::string& message);

 private:
  void watch();
  void call_the_roll() const;
  [[nodiscard]] std::string message() const;

  int rank_;
  std::vector<std::string> hosts_;
  double timeout_seconds_;
  Others others_;
  End end_;
  const Clock& clock_;
  std::atomic<int> phase_{static_cast<int>(Phase::kStep)};
  std::atomic<std::int64_t> step_{0};
  std::atomic<std::int64_t> ticks_{0};
  std::mutex mutex_;
  std::condition_variable leave_;
  bool is_leaving_ = false;
  std::thread thread_;
};

}  // namespace convoy::step
