#pragma once
// A rank that stops answering ends the job instead of hanging it: a thread that sees nothing go on for too
// long says where its rank is and whom it waits for, and ends the process with status 6 (the launcher then
// ends the others). It calls neither MPI nor HDF5, which may be what hangs; a further thread calls the roll,
// by MPI.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "convoy/core/clock.hpp"
#include "convoy/step/heartbeat.hpp"

namespace convoy::step {

class Watchdog {
 public:
  /// Ends the process: prints `message` and does not come back. Tests give their own.
  using End = std::function<void(const std::string& message)>;

  /// What is known of the other ranks. Called on threads of the watchdog.
  struct Others {
    std::function<int()> waits_for;  ///< the one that is waited for, −1: not known
    std::function<std::vector<int>()>
        find_unresponsive;  ///< those that do not answer; may hang, or be empty: nobody is asked
  };

  /// For rank `rank`, whose `heartbeat` is watched from now on; `hosts` by rank. `timeout_seconds` 0: never.
  /// `end` is called on the watchdog's thread. `heartbeat` and `clock` must outlive it.
  Watchdog(int rank, std::vector<std::string> hosts, double timeout_seconds, const Heartbeat& heartbeat,
           Others others, End end = end_process, const Clock& clock = steady_clock());
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Prints to standard error and ends the process with status 6, some seconds later, so that every rank that
  /// is stuck can say so.
  [[noreturn]] static void end_process(const std::string& message);

 private:
  void watch();
  void report_unresponsive() const;
  [[nodiscard]] std::string message() const;

  int rank_;
  std::vector<std::string> hosts_;
  double timeout_seconds_;
  const Heartbeat& heartbeat_;
  Others others_;
  End end_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable leave_;
  bool is_leaving_ = false;
  std::thread thread_;
};

}  // namespace convoy::step
