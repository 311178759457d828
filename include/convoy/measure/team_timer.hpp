#pragma once
// Times one piece of work that a team of threads does over and over. For benchmarks (measure/benchmark.hpp).

#include <chrono>
#include <cstdint>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::measure {

/// Seconds of one call.
struct LapTimes {
  double median = 0;
  double fastest = 0;
};

/// One for each team; its threads share it.
class TeamTimer {
 public:
  TeamTimer() { laps_.reserve(kMostLaps); }

  /// Calls work() on every thread of the team, first once for nothing, then for at least `seconds` and three
  /// laps; a lap is as many calls as it takes to be long against the clock's steps. work() ends with the
  /// team's barrier. All threads call with the same arguments and get the same result; nothing allocates.
  template <class Work>
  [[nodiscard]] LapTimes measure(const Team& team, double seconds, const Work& work) {
    work();
    if (team.index() == 0) begin(seconds);
    team.barrier();
    while (!is_done_) {
      const std::int64_t calls = calls_;
      for (std::int64_t i = 0; i < calls; ++i) work();
      team.barrier();
      if (team.index() == 0) end_lap();
      team.barrier();
    }
    return result_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kFewestLaps = 3;
  static constexpr std::size_t kMostLaps = 4096;

  void begin(double seconds);
  void end_lap();

  std::vector<double> laps_;  // seconds of a call
  std::int64_t calls_ = 1;    // of a lap
  double seconds_ = 0;
  bool is_done_ = false;
  Clock::time_point begin_;
  Clock::time_point lap_begin_;
  LapTimes result_;
};

}  // namespace convoy::measure
