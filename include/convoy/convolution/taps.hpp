#pragma once
// The micro-kernel of convolution: a register tile of sums over taps, for forward and backward data.
//
// For T channels and X points of the output, each 16 samples wide (or one register of them):
//   out[t][x] = bias[t] + Σ_{r < reduce} Σ_{y < rows} Σ_{k < taps} in[r, y, x, k] · weights[t, r, y, k]
// Every index is a constant step in memory. An element's sum runs in the order r, y, k and does not depend on
// the tile, so any split into tiles gives the same results.

#include "convoy/core/operations.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/pairs.hpp"
#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// `shape` with the precision that is used: the double kernels ignore kBfloat16.
template <class Real>
CONVOY_INLINE Conv2dShape as_computed(const Conv2dShape& shape) {
  Conv2dShape s = shape;
  if constexpr (!kHasPairs<Real>) s.precision = Precision::kFloat32;
  return s;
}

/// Addresses of the operands of one tile: numbers, or pairs of numbers (then a tap is two products). Steps
/// are in elements.
template <class Real, class Factor = Real>
struct TapSum {
  const Factor* in;
  const Factor* weights;
  const Real* bias;  ///< at the tile's first channel; null: start from 0
  bool goes_on;      ///< the sums start from the old values of `out` instead
  Real* out;
  Epilogue<Real> epilogue;
  std::int64_t reduce, rows, taps;
  std::int64_t in_reduce, in_row, in_tap, in_point;
  std::int64_t w_channel, w_reduce, w_row, w_tap;
  std::int64_t out_channel, out_point;
};

/// Steps of a tile that are known at compile time. With an address for each point and each channel, there
/// would be more addresses than address registers.
enum class Steps {
  kAny,
  kAdjacentPoints,  ///< the points' operands are contiguous in `in` (in_point = 16): the common case
  kAdjacentBoth,    ///< also the channels' weights (w_channel = 1)
};

/// The sums of a tile before its products: the old values of `out`, or the bias of each channel (null: 0).
/// Here and in finish_tile, at(t, x) is where the sum of channel t and point x lies.
template <class Real, int T, int X, class At>
CONVOY_INLINE void begin_tile(bool goes_on, const Real* out, const Real* bias, const At& at,
                              Vec<Real> (&sum)[T][X]) {
  CONVOY_UNROLL
  for (int t = 0; t < T; ++t) {
    const Vec<Real> start = broadcast<Real>(bias != nullptr ? bias[t] : Real(0));
    CONVOY_UNROLL
    for (int x = 0; x < X; ++x) sum[t][x] = goes_on ? load(out + at(t, x)) : start;
  }
}

/// Stores the sums with the addend and the in_registers() part of the activation; the caller calls
/// in_memory().
template <class Real, int T, int X, class At>
CONVOY_INLINE void finish_tile(const Epilogue<Real>& epilogue, const At& at, Vec<Real> (&sum)[T][X],
                               Real* out) {
  if (epilogue.addend != nullptr) {
    CONVOY_UNROLL
    for (int t = 0; t < T; ++t) {
      CONVOY_UNROLL
      for (int x = 0; x < X; ++x) sum[t][x] += load(epilogue.addend + at(t, x));
    }
  }
  with_activation<Real>(epilogue.activation, [&](const auto& function) {
    CONVOY_UNROLL
    for (int t = 0; t < T; ++t) {
      CONVOY_UNROLL
      for (int x = 0; x < X; ++x) sum[t][x] = function.in_registers(sum[t][x]);
    }
  });
  CONVOY_UNROLL
  for (int t = 0; t < T; ++t) {
    CONVOY_UNROLL
    for (int x = 0; x < X; ++x) store(out + at(t, x), sum[t][x]);
  }
}

/// `sum`, a TapSum or PanelSum, for one part of the 16 lanes.
template <class Sum>
CONVOY_INLINE Sum part_of_lanes(const Sum& sum, std::int64_t first_lane) {
  Sum part = sum;
  part.in += first_lane;
  part.out += first_lane;
  if (sum.epilogue.addend != nullptr) part.epilogue.addend += first_lane;
  return part;
}

/// One register tile.
template <class Real, class Factor, int T, int X, Steps kSteps>
void tap_tile(const TapSum<Real, Factor>& s) {
  const std::int64_t in_point = kSteps == Steps::kAny ? s.in_point : kLanes;
  const std::int64_t w_channel = kSteps == Steps::kAdjacentBoth ? 1 : s.w_channel;
  const auto at = [&](int t, int x) { return t * s.out_channel + x * s.out_point; };
  Vec<Real> sum[T][X];
  begin_tile<Real, T, X>(s.goes_on, s.out, s.bias, at, sum);
  for (std::int64_t r = 0; r < s.reduce; ++r) {
    for (std::int64_t y = 0; y < s.rows; ++y) {
      const Factor* in = s.in + r * s.in_reduce + y * s.in_row;
      const Factor* w = s.weights + r * s.w_reduce + y * s.w_row;
      for (std::int64_t k = 0; k < s.taps; ++k) {
        Vec<Factor> point[X];
        CONVOY_UNROLL
        for (int x = 0; x < X; ++x) point[x] = load(in + x * in_point);
        CONVOY_UNROLL
        for (int t = 0; t < T; ++t) {
          const Vec<Factor> weight = broadcast(w[t * w_channel]);
          CONVOY_UNROLL
          for (int x = 0; x < X; ++x) sum[t][x] = fma(weight, point[x], sum[t][x]);
        }
        in += s.in_tap;
        w += s.w_tap;
      }
    }
  }
  finish_tile<Real, T, X>(s.epilogue, at, sum, s.out);
}

/// Registers for sums, and the maximum points of a tile: 4 channels × kMaxPoints fill them and leave
/// registers for the points, a weight and (without FMA) a product.
#if CONVOY_VECTOR_BYTES == 64
inline constexpr int kSumRegisters = 24;
inline constexpr int kMaxPoints = 6;
#elif CONVOY_VECTOR_BYTES == 32
inline constexpr int kSumRegisters = 12;
inline constexpr int kMaxPoints = 3;
#else
inline constexpr int kSumRegisters = 8;
inline constexpr int kMaxPoints = 2;
#endif

/// Calls body with `count`, from 1 to kMost, as a constant.
template <int kMost, class Body>
CONVOY_INLINE void with_constant(std::int64_t count, const Body& body) {
  if constexpr (kMost > 1) {
    if (count < kMost) return with_constant<kMost - 1>(count, body);
  }
  body(std::integral_constant<int, kMost>{});
}

/// The channels of a tile: the most that there are, that fit the registers with `points`, and up to `most`.
CONVOY_INLINE int tile_channels(std::int64_t channels, std::int64_t points, std::int64_t most) {
  constexpr int kCounts[] = {16, 8, 4, 3, 2};
  for (const int count : kCounts)
    if (count <= channels && count <= most && count * points <= kSumRegisters) return count;
  return 1;
}

/// One of the tiles that tile_channels() chooses.
template <class Real, class Factor, int X, Steps kSteps>
void run_tap_tile(const TapSum<Real, Factor>& s, int channels) {
  switch (channels) {
    case 16:
      if constexpr (16 * X <= kSumRegisters) return tap_tile<Real, Factor, 16, X, kSteps>(s);
      break;
    case 8:
      if constexpr (8 * X <= kSumRegisters) return tap_tile<Real, Factor, 8, X, kSteps>(s);
      break;
    default:
      with_constant<4>(channels, [&](auto t) { tap_tile<Real, Factor, decltype(t)::value, X, kSteps>(s); });
  }
}

template <class Real, class Factor, int X>
void run_tap_tile(const TapSum<Real, Factor>& s, int channels) {
  if (X > 1 && s.in_point != kLanes) return run_tap_tile<Real, Factor, X, Steps::kAny>(s, channels);
  if (s.w_channel == 1) return run_tap_tile<Real, Factor, X, Steps::kAdjacentBoth>(s, channels);
  run_tap_tile<Real, Factor, X, Steps::kAdjacentPoints>(s, channels);
}

/// The sums of `channels` × `points` (≤ kMaxPoints) for all 16 lanes. `s` describes the first channel and
/// point.
template <class Real, class Factor>
void tap_sums(TapSum<Real, Factor> s, std::int64_t channels, std::int64_t points) {
  // Weights of neighbouring channels that are far apart in memory often use the same cache sets; more than 8
  // such streams would evict each other.
  const std::int64_t most = s.w_channel == 1 ? 16 : 8;
  while (channels > 0) {
    const int done = tile_channels(channels, points, most);
    for (std::int64_t part = 0; part < kParts<Real>; ++part) {
      const auto of_part = part_of_lanes(s, part * kWidth<Real>);
      with_constant<kMaxPoints>(
          points, [&](auto x) { run_tap_tile<Real, Factor, decltype(x)::value>(of_part, done); });
    }
    channels -= done;
    s.weights += done * s.w_channel;
    s.out += done * s.out_channel;
    if (s.epilogue.addend != nullptr) s.epilogue.addend += done * s.out_channel;
    if (s.bias != nullptr) s.bias += done;
  }
}

}  // namespace
}  // namespace convoy::kernels
