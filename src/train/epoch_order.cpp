#include "epoch_order.hpp"

#include <algorithm>
#include <numeric>

#include "convoy/core/random.hpp"

namespace convoy::train {

EpochOrder::EpochOrder(std::int64_t samples, bool shuffle, std::uint64_t seed)
    : shuffle_(shuffle), seed_(seed), order_(static_cast<std::size_t>(samples)) {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
}

bool EpochOrder::begin_epoch(std::int64_t epoch) {
  if (epoch == epoch_) return false;
  epoch_ = epoch;
  if (shuffle_) order_ = shuffled_order(static_cast<std::int64_t>(order_.size()), seed_, epoch);
  return true;
}

std::span<const std::int64_t> EpochOrder::batch(std::int64_t step, std::int64_t size) const {
  const auto first = static_cast<std::size_t>(step * size);
  return std::span(order_).subspan(first, std::min(static_cast<std::size_t>(size), order_.size() - first));
}

}  // namespace convoy::train
