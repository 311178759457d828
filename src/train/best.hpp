#pragma once
// The best epoch of a run: checkpoint.best and train.patience. Private to the train room.

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/model/progress.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::train {

/// True if `progress` holds a best epoch by checkpoint.best, not by another value of an earlier start.
[[nodiscard]] bool has_best(const config::Options& options, const model::Progress& progress);

/// Throws ConfigError if checkpoint.best is set and there is no split to evaluate (null), or it has targets
/// and no accuracy.
void require_evaluation_of_best(const config::Options& options, const data::Split* evaluated);

/// After epoch number `epoch` (counted from 1), which ended at progress.step: true if `evaluation` is better
/// than all before, which is then noted in `progress`. Equal on all ranks.
[[nodiscard]] bool note_best(const config::Options& options, const Evaluation& evaluation, std::int64_t epoch,
                             model::Progress& progress);

/// True if the run should end: train.patience epochs brought nothing better.
[[nodiscard]] bool is_out_of_patience(const config::Options& options, const model::Progress& progress);

/// True if a checkpoint is due after this step by checkpoint.every-steps or checkpoint.every-epochs, or
/// because it is the best.
[[nodiscard]] bool checkpoint_is_due(const config::Options& options, const model::Progress& progress,
                                     bool epoch_ends);

}  // namespace convoy::train
