#include "convoy/step/epoch_order.hpp"

#include <algorithm>

namespace convoy::step {

bool EpochOrder::begin_epoch(std::int64_t epoch) {
  if (epoch == epoch_) return false;
  epoch_ = epoch;
  pass_ = order_.of(epoch);
  return true;
}

std::span<const std::int64_t> EpochOrder::batch(std::int64_t step, std::int64_t size) const {
  const auto first = static_cast<std::size_t>(step * size);
  return std::span(pass_.samples)
      .subspan(first, std::min(static_cast<std::size_t>(size), pass_.samples.size() - first));
}

}  // namespace convoy::step
