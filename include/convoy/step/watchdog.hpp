#pragma once
// Ends the job if a rank stops responding. A thread watches the heartbeat; without progress for too long, it
// prints the rank's phase and the rank it waits for, and ends the process with status 6 (the launcher then
// ends the other ranks). It calls neither MPI nor HDF5, because these may hang; a second thread finds
// unresponsive ranks through MPI.

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
  /// Ends the process: prints `message` and does not return. Tests pass their own function.
  using End = std::function<void(const std::string& message)>;

  /// Information on other ranks. Called on threads of the watchdog.
  struct Others {
    std::function<int()> waits_for;  ///< rank that this rank waits for; −1: unknown
    std::function<std::vector<int>()>
        find_unresponsive;  ///< ranks that do not respond; may hang. Empty: not called
  };

  /// Watches `heartbeat` of rank `rank` from now on. `hosts`: host names by rank. `timeout_seconds` 0: never.
  /// `end` is called on the watchdog's thread. `heartbeat` and `clock` must outlive the watchdog.
  Watchdog(int rank, std::vector<std::string> hosts, double timeout_seconds, const Heartbeat& heartbeat,
           Others others, End end = end_process, const Clock& clock = steady_clock());
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Prints to standard error, waits some seconds so that every stuck rank can print its message, and ends
  /// the process with status 6.
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
