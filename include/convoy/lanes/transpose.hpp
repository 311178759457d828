#pragma once
// 16×16 transposes, for example between lanes and channels.

#include <utility>

#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// Interleaves the low (or high) halves of a and b: a₀ b₀ a₁ b₁ …
template <bool kHigh, class V, std::size_t... kIndex>
CONVOY_INLINE V interleave(const V& a, const V& b, std::index_sequence<kIndex...>) {
  constexpr std::size_t kSize = sizeof...(kIndex);
  return __builtin_shufflevector(
      a, b, static_cast<int>(kIndex / 2 + kIndex % 2 * kSize + (kHigh ? kSize / 2 : 0))...);
}

/// Transposes a square of registers in place: log₂(width) perfect shuffles.
template <class Real>
CONVOY_INLINE void transpose_registers(Vec<Real> (&v)[kWidth<Real>]) {
  constexpr int kSize = static_cast<int>(kWidth<Real>);
  constexpr auto kIndices = std::make_index_sequence<static_cast<std::size_t>(kSize)>();
  CONVOY_UNROLL
  for (int stage = 1; stage < kSize; stage *= 2) {
    Vec<Real> next[kSize];
    CONVOY_UNROLL
    for (int i = 0; i < kSize / 2; ++i) {
      next[2 * i] = interleave<false>(v[i], v[i + kSize / 2], kIndices);
      next[2 * i + 1] = interleave<true>(v[i], v[i + kSize / 2], kIndices);
    }
    CONVOY_UNROLL
    for (int i = 0; i < kSize; ++i) v[i] = next[i];
  }
}

/// to[j·to_step + i] = from[i·from_step + j] for i < rows, 0 for the other i < 16; j < 16.
template <class Real>
CONVOY_INLINE void transpose_16x16(const Real* from, std::int64_t from_step, std::int64_t rows, Real* to,
                                   std::int64_t to_step) {
  constexpr std::int64_t kSize = kWidth<Real>;
  for (std::int64_t i = 0; i < kLanes; i += kSize) {
    for (std::int64_t j = 0; j < kLanes; j += kSize) {
      Vec<Real> v[kSize];
      if (i + kSize <= rows) {
        CONVOY_UNROLL
        for (std::int64_t k = 0; k < kSize; ++k) v[k] = load(from + (i + k) * from_step + j);
      } else {
        for (std::int64_t k = 0; k < kSize; ++k)
          v[k] = i + k < rows ? load(from + (i + k) * from_step + j) : Vec<Real>{};
      }
      transpose_registers<Real>(v);
      CONVOY_UNROLL
      for (std::int64_t k = 0; k < kSize; ++k) store(to + (j + k) * to_step + i, v[k]);
    }
  }
}

}  // namespace
}  // namespace convoy::kernels
