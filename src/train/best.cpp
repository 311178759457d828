#include "best.hpp"

#include <cmath>

#include "convoy/core/error.hpp"

namespace convoy::train {

using model::BestBy;

bool has_best(const config::Options& options, const model::Progress& progress) {
  return options.best != BestBy::kNone && progress.best.by == options.best;
}

void require_evaluation_of_best(const config::Options& options, const data::Split* evaluated) {
  if (options.best == BestBy::kNone) return;
  if (evaluated == nullptr || evaluated->samples() == 0)
    throw ConfigError(
        "checkpoint.best needs a validation or test split (there is none); data.validation-part = 0.1 holds "
        "samples out");
  if (options.best == BestBy::kAccuracy && evaluated->target_size() > 0)
    throw ConfigError(
        "checkpoint.best = accuracy needs classes (the data set holds targets); set it to loss");
}

bool note_best(const config::Options& options, const Evaluation& evaluation, std::int64_t epoch,
               model::Progress& progress) {
  if (options.best == BestBy::kNone) return false;
  const bool by_loss = options.best == BestBy::kLoss;
  const double value =
      by_loss ? evaluation.loss
              : static_cast<double>(evaluation.correct) / static_cast<double>(evaluation.samples);
  model::Best& best = progress.best;
  if (std::isnan(value)) return false;
  if (has_best(options, progress) && (by_loss ? value >= best.value : value <= best.value)) return false;
  best = {.by = options.best, .value = value, .step = progress.step, .epoch = epoch};
  return true;
}

bool is_out_of_patience(const config::Options& options, const model::Progress& progress) {
  return options.patience > 0 && has_best(options, progress) &&
         progress.epoch - progress.best.epoch >= options.patience;
}

bool checkpoint_is_due(const config::Options& options, const model::Progress& progress, bool epoch_ends) {
  const bool by_steps =
      options.checkpoint_every_steps > 0 && progress.step % options.checkpoint_every_steps == 0;
  const bool by_epochs = options.checkpoint_every_epochs > 0 && epoch_ends &&
                         progress.epoch % options.checkpoint_every_epochs == 0;
  const bool is_best = epoch_ends && has_best(options, progress) && progress.best.step == progress.step;
  return by_steps || by_epochs || is_best;
}

}  // namespace convoy::train
