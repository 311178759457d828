#include "convoy/model/progress.hpp"

#include <cmath>

#include "scalars.hpp"

namespace convoy::model {

void Progress::add_step(std::int64_t samples_of_step, const nn::LossResult& sum) {
  ++step;
  samples += samples_of_step;
  epoch_loss_sum += sum.loss_sum;
  epoch_squared_error_sum += sum.squared_error_sum;
  epoch_correct += sum.correct;
  epoch_samples += samples_of_step;
}

void Progress::end_epoch(std::int64_t finished) {
  epoch = finished + 1;
  epoch_loss_sum = 0;
  epoch_squared_error_sum = 0;
  epoch_correct = 0;
  epoch_samples = 0;
}

void write_progress(io::File& file, const Progress& progress) {
  file.set_attribute("/", "step", progress.step);
  file.set_attribute("/", "epoch", progress.epoch);
  file.set_attribute("/", "samples", progress.samples);

  write_scalar(file, "/progress/epoch_loss_sum", progress.epoch_loss_sum);
  if (progress.epoch_squared_error_sum != 0)
    write_scalar(file, "/progress/epoch_squared_error_sum", progress.epoch_squared_error_sum);
  write_scalar(file, "/progress/epoch_correct", progress.epoch_correct);
  write_scalar(file, "/progress/epoch_samples", progress.epoch_samples);
  const optim::Plateau& plateau = progress.plateau;
  if (!std::isnan(plateau.best) || plateau.bad_epochs > 0 || plateau.reductions > 0) {
    write_scalar(file, "/progress/plateau_best", plateau.best);
    write_scalar(file, "/progress/plateau_bad_epochs", plateau.bad_epochs);
    write_scalar(file, "/progress/plateau_reductions", plateau.reductions);
  }
  if (const Best& best = progress.best; !std::isnan(best.value)) {
    write_scalar(file, "/progress/best_by", static_cast<std::int64_t>(best.by));
    write_scalar(file, "/progress/best_value", best.value);
    write_scalar(file, "/progress/best_step", best.step);
    write_scalar(file, "/progress/best_epoch", best.epoch);
  }
}

Progress read_progress(const io::File& file) {
  Progress progress{.step = file.attribute<std::int64_t>("/", "step"),
                    .epoch = file.attribute<std::int64_t>("/", "epoch"),
                    .samples = file.attribute<std::int64_t>("/", "samples"),
                    .epoch_loss_sum = read_scalar<double>(file, "/progress/epoch_loss_sum"),
                    .epoch_squared_error_sum = 0,
                    .epoch_correct = read_scalar<std::int64_t>(file, "/progress/epoch_correct"),
                    .epoch_samples = read_scalar<std::int64_t>(file, "/progress/epoch_samples")};
  if (file.exists("/progress/epoch_squared_error_sum"))
    progress.epoch_squared_error_sum = read_scalar<double>(file, "/progress/epoch_squared_error_sum");
  if (file.exists("/progress/plateau_best"))
    progress.plateau = {.best = read_scalar<double>(file, "/progress/plateau_best"),
                        .bad_epochs = read_scalar<std::int64_t>(file, "/progress/plateau_bad_epochs"),
                        .reductions = read_scalar<std::int64_t>(file, "/progress/plateau_reductions")};
  if (file.exists("/progress/best_value"))
    progress.best = {.by = static_cast<BestBy>(read_scalar<std::int64_t>(file, "/progress/best_by")),
                     .value = read_scalar<double>(file, "/progress/best_value"),
                     .step = read_scalar<std::int64_t>(file, "/progress/best_step"),
                     .epoch = read_scalar<std::int64_t>(file, "/progress/best_epoch")};
  return progress;
}

}  // namespace convoy::model
