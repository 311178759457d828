#pragma once
// How a Reducer's vectors are cut, and how far apart they lie; private to the comm room.

#include <algorithm>
#include <cstdint>

#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The slice of `bucket` that `rank` owns, by elements of the vector: cut at multiples of `grain`.
[[nodiscard]] inline Range slice_of(const Range& bucket, std::int64_t grain, int ranks, int rank) {
  const std::int64_t first = bucket.begin / grain;
  const Range part = split((bucket.end + grain - 1) / grain - first, ranks, rank);
  return {std::clamp((first + part.begin) * grain, bucket.begin, bucket.end),
          std::clamp((first + part.end) * grain, bucket.begin, bucket.end)};
}

/// Elements from one partial sum of `size` elements to the next: whole cache lines.
[[nodiscard]] inline std::int64_t slot_stride(std::int64_t size) {
  constexpr std::int64_t kLine = 16;
  return (size + kLine - 1) / kLine * kLine;
}

}  // namespace convoy::comm
