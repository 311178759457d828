#include "convoy/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/text.hpp"

namespace convoy::optim {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// x^power of 0 ≤ x ≤ 1.
double positive_power(double x, double power) {
  return x <= 0 ? 0 : math::exp(power * math::log(x));
}

/// x^n by squaring.
double whole_power(double x, std::int64_t n) {
  double result = 1;
  for (; n > 0; n /= 2, x *= x)
    if (n % 2 == 1) result *= x;
  return result;
}

/// A product just beside an integer due to rounding, like 0.07·100, is that integer.
double snapped(double steps) {
  const double nearest = std::floor(steps + 0.5);
  return std::abs(steps - nearest) <= 0x1p-50 * steps ? nearest : steps;
}

/// From `begin` to `end` along half a cosine.
double along_cosine(double begin, double end, double part) {
  return end + (begin - end) * (1 + math::cos(kPi * part)) / 2;
}
double along_line(double begin, double end, double part) {
  return begin + (end - begin) * part;
}

double scale_of(const ScheduleOptions& options, std::int64_t batch) {
  const double ratio = static_cast<double>(batch) / static_cast<double>(options.base_batch);
  switch (options.scaling) {
    case BatchScaling::kNone:
      return 1;
    case BatchScaling::kLinear:
      return ratio;
    case BatchScaling::kSquareRoot:
      return std::sqrt(ratio);
  }
  return 1;
}

}  // namespace

const std::vector<std::string_view>& schedule_names() {
  static const std::vector<std::string_view> names{"constant",   "step",      "cosine",     "linear",
                                                   "polynomial", "one-cycle", "triangular", "plateau"};
  return names;
}

std::string_view to_string(ScheduleKind kind) {
  return schedule_names()[static_cast<std::size_t>(kind)];
}

ScheduleOptions scaled_to_batch(const ScheduleOptions& options, std::int64_t batch) {
  ScheduleOptions scaled = options;
  scaled.lr *= scale_of(options, batch);
  scaled.final_lr *= scale_of(options, batch);
  return scaled;
}

std::string describe_scaling(const ScheduleOptions& options, std::int64_t batch) {
  if (options.scaling == BatchScaling::kNone) return {};
  const std::string ratio = grouped(batch) + " / " + grouped(options.base_batch);
  const bool is_linear = options.scaling == BatchScaling::kLinear;
  return shortest(scaled_to_batch(options, batch).lr) + " (schedule.lr = " + shortest(options.lr) +
         (is_linear ? " times " + ratio : " times the root of " + ratio) +
         ", train.batch / schedule.base-batch, as schedule.scale-lr = " + (is_linear ? "linear" : "sqrt") +
         ")";
}

Schedule::Schedule(const ScheduleOptions& options, std::int64_t epochs, std::int64_t steps_per_epoch)
    : options_(options), steps_per_epoch_(steps_per_epoch), total_(epochs * steps_per_epoch) {
  const bool counts_epochs = options.unit == ScheduleUnit::kEpochs;
  if (options.warmup_epochs > static_cast<double>(counts_epochs ? epochs : total_)) {
    throw ConfigError("schedule.warmup-epochs = " + shortest(options.warmup_epochs) +
                      (counts_epochs ? "" : " steps") + " is longer than the run of " +
                      (counts_epochs ? counted(epochs, "epoch") : counted(total_, "step")) +
                      " (train.epochs)");
  }
  constexpr double kRounding = 1 - 0x1p-50;
  warmup_ = static_cast<std::int64_t>(std::ceil(in_steps(options.warmup_epochs) * kRounding));
  if (options.restart_epochs > 0 && in_steps(options.restart_epochs) < 1) {
    throw ConfigError("schedule.restart-epochs = " + shortest(options.restart_epochs) +
                      " is shorter than a step (an epoch has " + counted(steps_per_epoch, "step") +
                      "); set it to some epochs");
  }
}

double Schedule::in_steps(double amount) const {
  return options_.unit == ScheduleUnit::kSteps ? amount : amount * static_cast<double>(steps_per_epoch_);
}

double Schedule::step_rate(double step) const {
  if (options_.step_every > 0) {
    const double times = std::floor(step / snapped(in_steps(options_.step_every)));
    return options_.lr * whole_power(options_.step_factor, static_cast<std::int64_t>(times));
  }
  double rate = options_.lr;
  for (const double epoch : options_.step_epochs)
    if (step >= in_steps(epoch)) rate *= options_.step_factor;
  return rate;
}

double Schedule::part_of_period(double done) const {
  double period = snapped(in_steps(options_.restart_epochs));
  if (options_.restart_factor == 1) return done / period - std::floor(done / period);
  double begin = 0;
  while (done - begin >= period) {
    begin += period;
    period *= options_.restart_factor;
  }
  return (done - begin) / period;
}

double Schedule::one_cycle_rate(double step) const {
  const double last = static_cast<double>(total_) - 1;
  const double peak = options_.peak * static_cast<double>(total_) - 1;
  const auto along = options_.anneal == Anneal::kCosine ? along_cosine : along_line;
  if (step < peak) return along(options_.start_factor * options_.lr, options_.lr, step / peak);
  const double part = last > peak ? (step - peak) / (last - peak) : 0;
  return along(options_.lr, options_.end_factor * options_.lr, part);
}

double Schedule::triangular_rate(double step) const {
  const double part = step / static_cast<double>(total_);
  const double peak = options_.peak;
  if (part < peak) return options_.lr * along_line(options_.start_factor, 1, part / peak);
  return options_.lr * along_line(1, options_.end_factor, (part - peak) / (1 - peak));
}

double Schedule::plateau_rate(std::int64_t reductions) const {
  double rate = options_.lr;
  for (; reductions > 0; --reductions) rate = std::max(rate * options_.step_factor, options_.final_lr);
  return rate;
}

double Schedule::rate(std::int64_t step, std::int64_t reductions) const {
  const double lr = options_.lr;
  if (step < warmup_) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup_);
  const auto done = static_cast<double>(step - warmup_);
  const double progress = total_ > warmup_ ? done / static_cast<double>(total_ - warmup_) : 1;
  switch (options_.kind) {
    case ScheduleKind::kConstant:
      return lr;
    case ScheduleKind::kStep:
      return step_rate(static_cast<double>(step));
    case ScheduleKind::kCosine:
      return along_cosine(lr, options_.final_lr,
                          options_.restart_epochs > 0 ? part_of_period(done) : progress);
    case ScheduleKind::kLinear:
      return along_line(lr, options_.final_lr, progress);
    case ScheduleKind::kPolynomial:
      return options_.final_lr + (lr - options_.final_lr) * positive_power(1 - progress, options_.power);
    case ScheduleKind::kOneCycle:
      return one_cycle_rate(static_cast<double>(step));
    case ScheduleKind::kTriangular:
      return triangular_rate(static_cast<double>(step));
    case ScheduleKind::kPlateau:
      return plateau_rate(reductions);
  }
  return lr;
}

}  // namespace convoy::optim
