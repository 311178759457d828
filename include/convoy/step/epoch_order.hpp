#pragma once
// The order of an epoch's training samples: a pure function of (seed, epoch).

#include <cstdint>
#include <span>
#include <utility>

#include "convoy/data/order.hpp"

namespace convoy::step {

class EpochOrder {
 public:
  explicit EpochOrder(data::SampleOrder order) : order_(std::move(order)) {}

  /// Makes `epoch` (from 0) the current epoch; false if it already was. Cost: one pass over all samples.
  bool begin_epoch(std::int64_t epoch);
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// Samples of the current epoch's step `step` (from 0): `size` of them, fewer in the last step.
  [[nodiscard]] std::span<const std::int64_t> batch(std::int64_t step, std::int64_t size) const;

 private:
  data::SampleOrder order_;
  std::int64_t epoch_ = -1;
  data::PassOrder pass_;
};

}  // namespace convoy::step
