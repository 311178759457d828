#include "convoy/measure/team_timer.hpp"

#include <algorithm>

#include "convoy/core/median.hpp"

namespace convoy::measure {

void TeamTimer::begin(double seconds) {
  laps_.clear();
  calls_ = 1;
  seconds_ = seconds;
  is_done_ = false;
  begin_ = lap_begin_ = Clock::now();
}

void TeamTimer::end_lap() {
  constexpr double kLapSeconds = 1e-3;
  const Clock::time_point now = Clock::now();
  const double lap = std::chrono::duration<double>(now - lap_begin_).count();
  if (laps_.empty() && lap < std::min(kLapSeconds, seconds_ / kFewestLaps)) {
    calls_ *= 2;
  } else {
    laps_.push_back(lap / static_cast<double>(calls_));
    const bool is_over = std::chrono::duration<double>(now - begin_).count() >= seconds_;
    if ((is_over && laps_.size() >= kFewestLaps) || laps_.size() == kMostLaps) {
      result_ = {.median = median(laps_), .fastest = *std::min_element(laps_.begin(), laps_.end())};
      is_done_ = true;
    }
  }
  lap_begin_ = Clock::now();
}

}  // namespace convoy::measure
