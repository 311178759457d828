#pragma once
// Formats the lines of metrics.jsonl, and measures images_per_second. Private to the train room.

#include <chrono>
#include <cstdint>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/train/observer.hpp"

namespace convoy::train {

/// Images per second of wall time since the last restart(), without evaluation and checkpoints (between
/// pause() and resume()).
class Pace {
 public:
  void restart();
  void pause();
  void resume();
  void add(std::int64_t images) { images_ += images; }
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double images_per_second() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  Clock::time_point paused_at_;
  Clock::duration paused_{};
  std::int64_t images_ = 0;
};

[[nodiscard]] std::string start_line(const StartReport& report, const config::Options& options, int ranks,
                                     int threads);
[[nodiscard]] std::string step_line(const StepReport& report);
[[nodiscard]] std::string epoch_line(const EpochReport& report);
/// Collective. Times of every rank. No steps and no ranks if profiling is off.
[[nodiscard]] ProfileReport gather_profile(const comm::Communicator& world, const step::Profile& profile,
                                           std::int64_t step);
/// For a report of at least one step.
[[nodiscard]] std::string profile_line(const ProfileReport& report);
[[nodiscard]] std::string end_line(ExitStatus status, std::int64_t step);

}  // namespace convoy::train
