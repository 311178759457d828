#pragma once
// Division of a Reducer's vectors into slices, and the stride of its buffers; private to the comm room.

#include <algorithm>
#include <cstdint>

#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The slice of `bucket` that `rank` owns, as elements of the vector. Boundaries are multiples of `grain`.
[[nodiscard]] inline Range slice_of(const Range& bucket, std::int64_t grain, int ranks, int rank) {
  const std::int64_t first = bucket.begin / grain;
  const Range part = split((bucket.end + grain - 1) / grain - first, ranks, rank);
  return {std::clamp((first + part.begin) * grain, bucket.begin, bucket.end),
          std::clamp((first + part.end) * grain, bucket.begin, bucket.end)};
}

/// Distance in elements between two partial sums of `size` elements: a multiple of a cache line.
[[nodiscard]] inline std::int64_t slot_stride(std::int64_t size) {
  constexpr std::int64_t kLine = 16;
  return (size + kLine - 1) / kLine * kLine;
}

}  // namespace convoy::comm
