#pragma once
// How a Reducer's vectors are cut, and how far apart they lie; private to the comm room.

#include <cstdint>

#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The slice of `bucket` that `rank` owns, by elements of the vector.
[[nodiscard]] inline Range slice_of(const Range& bucket, int ranks, int rank) {
  const Range part = split(bucket.size(), ranks, rank);
  return {bucket.begin + part.begin, bucket.begin + part.end};
}

/// Elements from one partial sum of `size` elements to the next: whole cache lines.
[[nodiscard]] inline std::int64_t slot_stride(std::int64_t size) {
  constexpr std::int64_t kLine = 16;
  return (size + kLine - 1) / kLine * kLine;
}

}  // namespace convoy::comm
