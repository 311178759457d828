#pragma once
// Conversion between plain NCHW arrays in double (tests/reference) and the product's lane blocks.

#include <cstdint>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/core/layout.hpp"

namespace convoy::test {

/// Content of the lanes beyond the last sample: activations repeat the block's first sample, diffs are 0
/// (core/layout.hpp).
enum class IdleLanes { kFirstSample, kZero };

/// Number of elements in lane blocks for `samples` samples of `size` numbers.
inline std::int64_t lanes_size(std::int64_t samples, std::int64_t size) {
  return lane_blocks(samples) * size * kLanes;
}

/// Index of number i of a sample in lane blocks.
inline std::int64_t lane_index(std::int64_t size, std::int64_t sample, std::int64_t i) {
  return (sample / kLanes * size + i) * kLanes + sample % kLanes;
}

/// Writes [samples][size] into lane blocks at `to`.
template <class Real>
void pack_lanes(const std::vector<double>& from, std::int64_t samples, std::int64_t size, IdleLanes idle,
                Real* to) {
  for (std::int64_t lane = 0; lane < lane_blocks(samples) * kLanes; ++lane) {
    const std::int64_t sample = lane < samples ? lane : lane / kLanes * kLanes;
    for (std::int64_t i = 0; i < size; ++i) {
      const double value = from[static_cast<std::size_t>(sample * size + i)];
      to[lane_index(size, lane, i)] =
          lane >= samples && idle == IdleLanes::kZero ? Real(0) : static_cast<Real>(value);
    }
  }
}

/// The same, to a new buffer.
template <class Real>
AlignedBuffer<Real> to_lanes(const std::vector<double>& from, std::int64_t samples, std::int64_t size,
                             IdleLanes idle) {
  AlignedBuffer<Real> lanes(lanes_size(samples, size));
  pack_lanes(from, samples, size, idle, lanes.data());
  return lanes;
}

/// Reads [samples][size] from lane blocks, without idle lanes.
template <class Real>
std::vector<double> from_lanes(const Real* lanes, std::int64_t samples, std::int64_t size) {
  std::vector<double> plain;
  plain.reserve(static_cast<std::size_t>(samples * size));
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    for (std::int64_t i = 0; i < size; ++i)
      plain.push_back(static_cast<double>(lanes[lane_index(size, sample, i)]));
  }
  return plain;
}

}  // namespace convoy::test
