#include "convoy/optim/plateau.hpp"

#include <cmath>

namespace convoy::optim {

void Plateau::add_epoch(const PlateauOptions& options, double value) {
  const bool is_better = options.metric == PlateauMetric::kLoss ? value < best * (1 - options.threshold)
                                                                : value > best * (1 + options.threshold);
  if (is_better || (std::isnan(best) && !std::isnan(value))) {
    best = value;
    bad_epochs = 0;
    return;
  }
  if (++bad_epochs <= options.patience) return;
  ++reductions;
  bad_epochs = 0;
}

}  // namespace convoy::optim
