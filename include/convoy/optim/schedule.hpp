#pragma once
// Learning rate as a function of the step (src/CONTRACT.md, "Configuration"): warm-up, then the schedule.

#include <cstdint>
#include <string_view>
#include <vector>

namespace convoy::optim {

enum class ScheduleKind { kConstant, kStep, kCosine, kLinear };

[[nodiscard]] std::string_view to_string(ScheduleKind kind);
/// Names of all schedules, in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& schedule_names();

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  double lr = 0;                    ///< the base learning rate; > 0
  double warmup_epochs = 0;         ///< may be a fraction
  std::vector<double> step_epochs;  ///< step: epochs before each multiplication by `step_factor`
  double step_factor = 0.1;
  double final_lr = 0;  ///< cosine and linear: the final learning rate
};

/// The learning rate of every step of a run; a pure function of the step.
class Schedule {
 public:
  /// A run of `epochs` epochs of `steps_per_epoch` steps: T = epochs·steps_per_epoch, W =
  /// ⌈warmup_epochs·steps_per_epoch⌉. Throws ConfigError if the warm-up is longer than the run.
  Schedule(const ScheduleOptions& options, std::int64_t epochs, std::int64_t steps_per_epoch);

  /// Learning rate of step t = 0, 1, …: lr·(t+1)/W during warm-up; then, with u = t − W and U = T − W,
  ///   constant lr;  step lr·factor^(number of step_epochs ≤ t/steps_per_epoch);
  ///   cosine final + (lr − final)·(1 + cos(π·u/U))/2;  linear lr + (final − lr)·u/U.
  [[nodiscard]] double rate(std::int64_t step) const;

 private:
  ScheduleOptions options_;
  std::int64_t total_;
  std::int64_t warmup_;
  std::int64_t steps_per_epoch_;
};

}  // namespace convoy::optim
