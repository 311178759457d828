#pragma once
// Learning rate as a function of the step (src/CONTRACT.md, "Configuration"): warm-up, then the schedule.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/optim/plateau.hpp"

namespace convoy::optim {

enum class ScheduleKind { kConstant, kStep, kCosine, kLinear, kPolynomial, kOneCycle, kTriangular, kPlateau };

[[nodiscard]] std::string_view to_string(ScheduleKind kind);
/// Names of all schedules, in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& schedule_names();

/// What warm-up, step and restart count.
enum class ScheduleUnit { kEpochs, kSteps };
/// The curve of one-cycle.
enum class Anneal { kCosine, kLinear };
/// How the rates follow the batch.
enum class BatchScaling { kNone, kLinear, kSquareRoot };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::kConstant;
  double lr = 0;  ///< the base learning rate; > 0
  ScheduleUnit unit = ScheduleUnit::kEpochs;
  double warmup_epochs = 0;           ///< in `unit`; may be a fraction
  std::vector<double> step_epochs{};  ///< step: in `unit`, before each multiplication by `step_factor`
  double step_every = 0;              ///< step, instead of `step_epochs`: in `unit`, > 0
  double step_factor = 0.1;           ///< step, plateau; of plateau below 1
  double final_lr = 0;         ///< cosine, linear and polynomial: the final learning rate; plateau: the least
  double restart_epochs = 0;   ///< cosine: length of the first period in `unit`; 0: no restarts
  double restart_factor = 1;   ///< length of a period, in that of the one before it; ≥ 1
  double power = 2;            ///< polynomial
  double peak = 0.3;           ///< one-cycle, triangular: share of the run at which the rate is `lr`
  double start_factor = 0.04;  ///< one-cycle, triangular: first rate / lr
  double end_factor = 4e-6;    ///< one-cycle, triangular: last rate / lr
  Anneal anneal = Anneal::kCosine;
  PlateauOptions plateau{};
  BatchScaling scaling = BatchScaling::kNone;
  std::int64_t base_batch = 256;  ///< for which `lr` and `final_lr` are meant, with `scaling`
};

/// The options with `lr` and `final_lr` for a batch of `batch`: multiplied by batch/base_batch (Goyal et al.
/// 2017), or its square root.
[[nodiscard]] ScheduleOptions scaled_to_batch(const ScheduleOptions& options, std::int64_t batch);
/// What scaled_to_batch() does, in words: "0.4 (schedule.lr = 0.1 times 1,024 / 256, …)"; empty if nothing.
[[nodiscard]] std::string describe_scaling(const ScheduleOptions& options, std::int64_t batch);

/// The learning rate of every step of a run; a pure function of the step, and of plateau's reductions.
class Schedule {
 public:
  /// A run of `epochs` epochs of `steps_per_epoch` steps: T = epochs·steps_per_epoch, W = the warm-up in
  /// steps, rounded up. Throws ConfigError if the warm-up is longer than the run, or a period of cosine
  /// shorter than a step.
  Schedule(const ScheduleOptions& options, std::int64_t epochs, std::int64_t steps_per_epoch);

  /// Learning rate of step t = 0, 1, …: lr·(t+1)/W during warm-up; then, with u = t − W and U = T − W,
  ///   constant    lr
  ///   step        lr·factor^n, n the number of step_epochs that t steps have reached, or ⌊t/step_every⌋
  ///   cosine      final + (lr − final)·(1 + cos(π·x))/2 with x = u/U; with restarts (SGDR, Loshchilov &
  ///   Hutter
  ///               2017) the part of the present period that is over, the first one restart_epochs long
  ///   linear      lr + (final − lr)·u/U
  ///   polynomial  final + (lr − final)·(1 − u/U)^power
  ///   one-cycle   PyTorch's OneCycleLR (Smith & Topin 2018): from start_factor·lr at t = 0 to lr at t =
  ///   peak·T
  ///               − 1, to end_factor·lr at T − 1, along half a cosine each, or lines
  ///   triangular  lines from start_factor·lr at t = 0 to lr at peak·T, to end_factor·lr at T
  ///   plateau     lr·factor^reductions, but at least final
  [[nodiscard]] double rate(std::int64_t step, std::int64_t reductions = 0) const;

 private:
  /// `amount` of `unit` in steps.
  [[nodiscard]] double in_steps(double amount) const;
  [[nodiscard]] double step_rate(double step) const;
  /// The part of cosine's present period that is over after `done` of the steps after the warm-up.
  [[nodiscard]] double part_of_period(double done) const;
  [[nodiscard]] double one_cycle_rate(double step) const;
  [[nodiscard]] double triangular_rate(double step) const;
  [[nodiscard]] double plateau_rate(std::int64_t reductions) const;

  ScheduleOptions options_;
  std::int64_t steps_per_epoch_;
  std::int64_t total_;
  std::int64_t warmup_ = 0;
};

}  // namespace convoy::optim
