#pragma once
// In which order an epoch's samples are trained: a pure function of (seed, epoch) and of how the split is
// chunked; never of how it is cached.

#include <cstdint>
#include <vector>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// One pass over a split.
struct PassOrder {
  std::vector<std::int64_t> samples;
  /// Positions in `samples` where portions end: what is read together where the split is streamed. All but
  /// the last have at least a batch.
  std::vector<std::int64_t> portion_ends;
};

class SampleOrder {
 public:
  /// Of `split` as `options` (order, shuffle, window_bytes) ask for it; `batch` decides portions alone.
  SampleOrder(const Split& split, const Options& options, std::uint64_t seed, std::int64_t batch);

  /// Epochs count from 0. Cost: a pass over all samples.
  [[nodiscard]] PassOrder of(std::int64_t epoch) const;
  /// No portion has more samples.
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
