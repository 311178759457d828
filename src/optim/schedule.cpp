#include "convoy/optim/schedule.hpp"

#include <cmath>
#include <string>

#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/text.hpp"

namespace convoy::optim {

const std::vector<std::string_view>& schedule_names() {
  static const std::vector<std::string_view> names{"constant", "step", "cosine", "linear"};
  return names;
}

std::string_view to_string(ScheduleKind kind) {
  return schedule_names()[static_cast<std::size_t>(kind)];
}

namespace {

/// ⌈epochs·steps⌉, but a product just above an integer due to rounding, like 0.07·100, counts as that
/// integer.
std::int64_t warmup_steps(const ScheduleOptions& options, std::int64_t epochs, std::int64_t steps_per_epoch) {
  if (options.warmup_epochs > static_cast<double>(epochs)) {
    throw ConfigError("schedule.warmup-epochs = " + shortest(options.warmup_epochs) +
                      " is longer than the run of " + counted(epochs, "epoch") + " (train.epochs)");
  }
  constexpr double kRounding = 1 - 0x1p-50;
  return static_cast<std::int64_t>(
      std::ceil(options.warmup_epochs * static_cast<double>(steps_per_epoch) * kRounding));
}

}  // namespace

Schedule::Schedule(const ScheduleOptions& options, std::int64_t epochs, std::int64_t steps_per_epoch)
    : options_(options),
      total_(epochs * steps_per_epoch),
      warmup_(warmup_steps(options, epochs, steps_per_epoch)),
      steps_per_epoch_(steps_per_epoch) {}

double Schedule::rate(std::int64_t step) const {
  const double lr = options_.lr;
  if (step < warmup_) return lr * static_cast<double>(step + 1) / static_cast<double>(warmup_);
  const double progress =
      total_ > warmup_ ? static_cast<double>(step - warmup_) / static_cast<double>(total_ - warmup_) : 1;
  switch (options_.kind) {
    case ScheduleKind::kConstant:
      return lr;
    case ScheduleKind::kStep: {
      double rate = lr;
      for (const double epoch : options_.step_epochs)
        if (static_cast<double>(step) >= epoch * static_cast<double>(steps_per_epoch_))
          rate *= options_.step_factor;
      return rate;
    }
    case ScheduleKind::kCosine:
      return options_.final_lr +
             (lr - options_.final_lr) * (1 + math::cos(3.14159265358979323846 * progress)) / 2;
    case ScheduleKind::kLinear:
      return lr + (options_.final_lr - lr) * progress;
  }
  return lr;
}

}  // namespace convoy::optim
