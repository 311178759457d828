#pragma once
// Operands rounded to bfloat16: planes of two neighbouring channels as pairs, for dot products of pairs.

#include <type_traits>

#include "convoy/core/team.hpp"
#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// True if Real can use bfloat16 operands; false for double, so that gradient checks stay exact.
template <class Real>
inline constexpr bool kHasPairs = std::is_same_v<Real, float>;

/// Numbers in one factor of a product.
template <class Factor>
inline constexpr std::int64_t kNumbers = std::is_same_v<Factor, Pair> ? 2 : 1;

/// Converts from[outer][channels][plane] to [outer][⌈channels/2⌉][plane] pairs; an odd last channel is paired
/// with 0. Split among the team, no barrier.
CONVOY_INLINE void pair_planes(std::int64_t outer, std::int64_t channels, std::int64_t plane,
                               const float* from, Pair* to, const Team& team) {
  const std::int64_t pairs = ceil_div(channels, 2);
  const Range items = team.share(outer * pairs);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t first = item / pairs * channels + item % pairs * 2;
    const bool has_second = item % pairs * 2 + 1 < channels;
    const float* a = from + first * plane;
    const float* b = has_second ? a + plane : a;
    Pair* at = to + item * plane;
    // Planes shorter than a register (weights): a full register is read and written, if this thread later
    // writes the elements that the store overwrites.
    if (plane < kWidth<float> && has_second && item + kWidth<float> < items.end) {
      store<Pair>(at, make_pairs(load(a), load(b)));
      continue;
    }
    // Computed as a remainder, so that the compiler knows it is less than a register.
    const auto left = static_cast<std::size_t>(plane) % kWidth<float>;
    const std::int64_t whole = plane - static_cast<std::int64_t>(left);
    for (std::int64_t i = 0; i < whole; i += kWidth<float>)
      store<Pair>(at + i, make_pairs(load(a + i), has_second ? load(b + i) : Vec<float>{}));
    if (left == 0) continue;
    float rest[2][kWidth<float>] = {};
    const std::size_t bytes = left * sizeof(float);
    __builtin_memcpy(rest[0], a + whole, bytes);
    if (has_second) __builtin_memcpy(rest[1], b + whole, bytes);
    const Vec<Pair> last = make_pairs(load(rest[0]), load(rest[1]));
    __builtin_memcpy(at + whole, &last, bytes);
  }
}

/// to = from, rounded to bfloat16. Split among the team, no barrier; size a multiple of 16.
CONVOY_INLINE void round_to_bfloat16(std::int64_t size, const float* from, float* to, const Team& team) {
  const Range share = team.share(size / kLanes);
  for (std::int64_t i = share.begin * kLanes; i < share.end * kLanes; i += kWidth<float>)
    store<float>(to + i, (Vec<float>)bfloat16_bits(load(from + i)));
}

}  // namespace
}  // namespace convoy::kernels
