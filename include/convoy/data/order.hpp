#pragma once
// The order in which an epoch's samples are trained: a pure function of (seed, epoch) and of the split's
// chunks; independent of Cache.

#include <cstdint>
#include <vector>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// One pass over a split.
struct PassOrder {
  std::vector<std::int64_t> samples;
  /// Ends of portions, as positions in `samples`. If the split is streamed, a portion is read together. All
  /// portions but the last have at least a batch of samples.
  std::vector<std::int64_t> portion_ends;
};

class SampleOrder {
 public:
  /// For `split` and `options` (order, shuffle, window_bytes). `batch` affects only portions.
  SampleOrder(const Split& split, const Options& options, std::uint64_t seed, std::int64_t batch);

  /// The order of an epoch, counted from 0. Cost: a pass over all samples.
  [[nodiscard]] PassOrder of(std::int64_t epoch) const;
  /// The largest number of samples in a portion.
  [[nodiscard]] std::int64_t most_in_portion() const;

 private:
  [[nodiscard]] std::vector<std::int64_t> by_chunks(std::int64_t epoch) const;

  std::vector<std::int64_t> units_;  // Split::unit_ends()
  std::int64_t samples_;
  std::int64_t window_;  // samples
  Order order_;
  bool shuffle_;
  std::uint64_t seed_;
  std::int64_t batch_;
};

}  // namespace convoy::data
