#pragma once
// Where a run or a fit stands.

#include <cstdint>
#include <limits>

#include "convoy/hdf5/file.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/optim/plateau.hpp"

namespace convoy::model {

/// What of an evaluation makes an epoch the best one.
enum class BestBy : char { kNone, kLoss, kAccuracy };

/// The epoch with the best evaluation so far, and where it ended.
struct Best {
  BestBy by = BestBy::kNone;
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: none yet
  std::int64_t step = 0;
  std::int64_t epoch = 0;  ///< completed epochs
};

/// The position of a run. `step` defines it; the other members follow from the steps done.
struct Progress {
  std::int64_t step = 0;               ///< updates done
  std::int64_t epoch = 0;              ///< completed epochs
  std::int64_t samples = 0;            ///< total samples trained
  double epoch_loss_sum = 0;           ///< of the current epoch
  double epoch_squared_error_sum = 0;  ///< likewise, of targets
  std::int64_t epoch_correct = 0;
  std::int64_t epoch_samples = 0;
  optim::Plateau plateau{};  ///< of the epochs that the schedule plateau has seen
  Best best{};               ///< of the epochs so far, if checkpoint.best is set

  /// Adds one update on `samples_of_step` samples with result `sum`.
  void add_step(std::int64_t samples_of_step, const nn::LossResult& sum);
  /// Ends epoch `finished` (from 0) and resets the sums for the next epoch.
  void end_epoch(std::int64_t finished);
};

/// Where a fit begins, from the first update of the parameters.
struct Position {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::int64_t optimizer_step = 0;  ///< the step before which the states of its optimizer were zero
  friend bool operator==(const Position&, const Position&) = default;
};

/// Writes /progress and the root attributes step, epoch, samples; reads them.
void write_progress(io::File& file, const Progress& progress);
[[nodiscard]] Progress read_progress(const io::File& file);

}  // namespace convoy::model
