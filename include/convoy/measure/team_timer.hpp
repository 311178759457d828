#pragma once
// Times work that a team of threads repeats. For benchmarks (measure/benchmark.hpp).

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

/// One per team, shared by its threads.
class TeamTimer {
 public:
  TeamTimer() { laps_.reserve(kMostLaps); }

  /// Calls work() on every thread of the team: once as a warm-up, then for at least `seconds` and three laps.
  /// A lap has enough calls to be long compared with the clock's resolution. work() must end with the team's
  /// barrier. All threads call with the same arguments and get the same result. Nothing allocates.
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
  std::int64_t calls_ = 1;    // per lap
  double seconds_ = 0;
  bool is_done_ = false;
  Clock::time_point begin_;
  Clock::time_point lap_begin_;
  LapTimes result_;
};

}  // namespace convoy::measure
