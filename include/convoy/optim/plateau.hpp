#pragma once
// When the schedule plateau reduces the rate: PyTorch's ReduceLROnPlateau with a relative threshold. A
// function of the evaluations so far; checkpoints hold what it remembers of them (model::Progress).

#include <cstdint>
#include <limits>

namespace convoy::optim {

/// The number of an epoch that is watched: of the evaluated split, or of training where there is none.
enum class PlateauMetric { kLoss, kAccuracy };

struct PlateauOptions {
  PlateauMetric metric = PlateauMetric::kLoss;
  std::int64_t patience = 10;  ///< epochs in a row without a better number that are waited for; ≥ 0
  double threshold = 1e-4;  ///< better: below best·(1 − threshold), of accuracy above best·(1 + threshold)
};

/// What is remembered of the epochs.
struct Plateau {
  double best = std::numeric_limits<double>::quiet_NaN();  ///< NaN: none yet
  std::int64_t bad_epochs = 0;                             ///< in a row, since the best or the last reduction
  std::int64_t reductions = 0;                             ///< of the rate so far

  /// After an epoch whose metric is `value`. One that is NaN is never better.
  void add_epoch(const PlateauOptions& options, double value);
};

}  // namespace convoy::optim
