#pragma once
// Forward and backward data of stride-1 convolutions by minimal filtering (winograd.hpp).
//
// Each of the 36 points is a matrix product, channels × reduce times reduce × (tiles · 16 samples), with the
// micro-kernel of the direct convolution. Every thread works alone on its tiles and channels, in its own
// scratch. An element's sum runs over `reduce` in order, so the results do not depend on tiles, chunks or
// threads.

#include "convoy/convolution/plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/convolution/winograd.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/pairs.hpp"
#include "convoy/lanes/transpose.hpp"

namespace convoy::kernels {
namespace {

/// out[c, y, x] = bias[c] + Σ_{r,ky,kx} in[r, y − ph + ky, x − pw + kx] · weights(c, r, ky, kx).
template <class Real>
struct WinogradWalk {
  std::int64_t from_h, from_w, to_h, to_w, ph, pw;
  std::int64_t w_channel, w_reduce;
  bool is_rotated;  ///< taps are read in reverse order (rotated by 180°)
  const Real* in;
  const Real* weights;
  const Real* bias;
  Update update;
  Epilogue<Real> epilogue;
  Real* out;
};

/// Position of a tile.
struct TilePlace {
  std::int64_t block, y, x;  ///< position of its first output
};

CONVOY_INLINE TilePlace place_of(const WinogradPlan& plan, std::int64_t tile) {
  return {tile / plan.columns / plan.rows, tile / plan.columns % plan.rows * plan.tile,
          tile % plan.columns * plan.tile};
}

/// Read instead of rows above and below the image: as long as a patch is wide, at most 256 numbers per pixel.
template <class Real>
inline constexpr Real kZeroRow[kPoints * kLanes * kLanes] = {};

/// The 6 × 6 inputs of one tile in one channel's image of kStep numbers per pixel; zeros outside the image.
template <class Real, std::int64_t kStep>
struct Patch {
  const Real* row[kPoints];
  std::int64_t begin, end;  ///< columns within the image

  CONVOY_INLINE Patch(const Real* image, std::int64_t h, std::int64_t w, std::int64_t y, std::int64_t x)
      : begin(max(0, -x)), end(min(kPoints, w - x)) {
    CONVOY_UNROLL
    for (int i = 0; i < kPoints; ++i)
      row[i] = y + i >= 0 && y + i < h ? image + ((y + i) * w + x) * kStep : kZeroRow<Real>;
  }

  /// Calls put(py, px, v) with each point (py, px) of the transform; `offset` is inside a pixel.
  template <class Put>
  CONVOY_INLINE void transform(std::int64_t offset, const Put& put) const {
    if (begin == 0 && end == kPoints) {
      transform_inputs_2d<Real>([&](int y, int x) { return load(row[y] + x * kStep + offset); }, put);
    } else {
      transform_inputs_2d<Real>(
          [&](int y, int x) {
            return x >= begin && x < end ? load(row[y] + x * kStep + offset) : Vec<Real>{};
          },
          put);
    }
  }
};

/// Stores a transform's points: point i at to[i·slab], as numbers or, for two transforms, as pairs.
template <class Real>
struct PointStore {
  Real* to;
  std::int64_t slab;
  CONVOY_INLINE void operator()(int py, int px, const Vec<Real>& v) const {
    store(to + (py * kPoints + px) * slab, v);
  }
};
struct PairedPoints {
  Vec<float> first[kTileProducts];
  CONVOY_INLINE auto keep() {
    return [this](int py, int px, const Vec<float>& v) { first[py * kPoints + px] = v; };
  }
  CONVOY_INLINE auto store_with(Pair* to, std::int64_t slab) const {
    return [this, to, slab](int py, int px, const Vec<float>& v) {
      store<Pair>(to + (py * kPoints + px) * slab, make_pairs(first[py * kPoints + px], v));
    };
  }
};

/// inputs[point][r][tile][16] of the tiles [first, first + count); for pairs, [point][⌈r/2⌉][tile][16].
template <class Real, class Factor>
void transform_strip(const WinogradPlan& plan, const WinogradWalk<Real>& walk, std::int64_t first,
                     std::int64_t count, Factor* inputs) {
  const std::int64_t image = walk.from_h * walk.from_w * kLanes;
  for (std::int64_t t = 0; t < count; ++t) {
    const TilePlace place = place_of(plan, first + t);
    const auto patch_of = [&](std::int64_t r) {
      return Patch<Real, kLanes>(walk.in + (place.block * plan.reduce + r) * image, walk.from_h, walk.from_w,
                                 place.y - walk.ph, place.x - walk.pw);
    };
    if constexpr (std::is_same_v<Factor, Pair>) {
      for (std::int64_t r = 0; r < plan.reduce; r += 2) {
        const auto patch = patch_of(r);
        const auto partner =
            patch_of(min(r + 1, plan.reduce - 1));  // for an odd last channel: its weights are 0
        Factor* to = inputs + (r / 2 * count + t) * kLanes;
        for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
          PairedPoints points;
          patch.transform(part, points.keep());
          partner.transform(part, points.store_with(to + part, plan.inputs_slab));
        }
      }
    } else {
      for (std::int64_t r = 0; r < plan.reduce; ++r) {
        const auto patch = patch_of(r);
        Factor* to = inputs + (r * count + t) * kLanes;
        for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>)
          patch.transform(part, PointStore<Real>{to + part, plan.inputs_slab});
      }
    }
  }
}

/// Taps of a K × K kernel in vectors of 16.
template <int K>
inline constexpr std::int64_t kTapRows = round_up(std::int64_t{K} * K, kLanes);

/// taps[k][i] = tap k of the weights of channels c and r + i, in memory order; 0 beyond the last channel.
template <class Real, int K>
CONVOY_INLINE void gather_taps(const WinogradPlan& plan, const WinogradWalk<Real>& walk, std::int64_t c,
                               std::int64_t r, Real (&taps)[kTapRows<K>][kLanes]) {
  const std::int64_t at = c * walk.w_channel + r * walk.w_reduce;
  const std::int64_t count = min(kLanes, plan.reduce - r);
  // Full registers are read beyond the wanted taps, but not beyond the weights.
  if (at + (count - 1) * walk.w_reduce + kTapRows<K> <= plan.channels * plan.reduce * K * K) {
    for (std::int64_t k = 0; k < kTapRows<K>; k += kLanes)
      transpose_16x16(walk.weights + at + k, walk.w_reduce, count, taps[k], kLanes);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    for (int k = 0; k < K * K; ++k) taps[k][i] = walk.weights[at + i * walk.w_reduce + k];
}

/// weights[point][c][r] = N⁻¹ E v Eᵀ N⁻¹ for the channels of `chunk`; zeros for r beyond the last. For pairs:
/// two neighbouring r form one pair, in the same slabs.
template <class Real, class Factor, int K>
void transform_weights(const WinogradPlan& plan, const WinogradWalk<Real>& walk, const Range& chunk,
                       Factor* to) {
  const auto transform = [&](std::int64_t c, std::int64_t r) {
    Real taps[kTapRows<K>][kLanes] = {};
    gather_taps<Real, K>(plan, walk, c, r, taps);
    for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
      evaluate_2d<Real, K>(
          [&](int y, int x) {
            return load(taps[walk.is_rotated ? K * K - 1 - (y * K + x) : y * K + x] + part);
          },
          [&](int py, int px, const Vec<Real>& v) {
            const Vec<Real> scaled = v * broadcast(inverse_norm<Real>(py, px));
            Factor* slab = to + (py * kPoints + px) * plan.weights_slab;
            const std::int64_t at = (c - chunk.begin) * plan.weights_row + r + part;
            if constexpr (std::is_same_v<Factor, Pair>) {
              store_halves(reinterpret_cast<std::uint16_t*>(slab) + at, scaled);
            } else {
              store(slab + at, scaled);
            }
          });
    }
  };
  // In memory order: the weights of neighbouring input channels are contiguous.
  if (walk.w_channel > walk.w_reduce) {
    for (std::int64_t c = chunk.begin; c < chunk.end; ++c)
      for (std::int64_t r = 0; r < plan.reduce; r += kLanes) transform(c, r);
  } else {
    for (std::int64_t r = 0; r < plan.reduce; r += kLanes)
      for (std::int64_t c = chunk.begin; c < chunk.end; ++c) transform(c, r);
  }
}

/// outputs[point][c][tile][16] = Σ_r weights[point][c][r] · inputs[point][r][tile][16].
template <class Real, class Factor>
void mix_channels(const WinogradPlan& plan, const Factor* weights, const Factor* inputs,
                  std::int64_t channels, std::int64_t count, Real* outputs) {
  TapSum<Real, Factor> sum{};
  sum.reduce = 1;
  sum.rows = 1;
  sum.taps = ceil_div(plan.reduce, kNumbers<Factor>);
  sum.in_tap = count * kLanes;
  sum.in_point = kLanes;
  sum.w_channel = plan.weights_row / kNumbers<Factor>;
  sum.w_tap = 1;
  sum.out_channel = count * kLanes;
  sum.out_point = kLanes;
  const std::int64_t groups = ceil_div(count, kMaxPoints);
  for (std::int64_t point = 0; point < kTileProducts; ++point) {
    for (std::int64_t g = 0; g < groups; ++g) {
      const Range tiles = split(count, groups, g);
      sum.weights = weights + point * plan.weights_slab;
      sum.in = inputs + point * plan.inputs_slab + tiles.begin * kLanes;
      sum.out = outputs + point * plan.outputs_slab + tiles.begin * kLanes;
      tap_sums(sum, channels, tiles.size());
    }
  }
}

/// The tiles [first, first + count) of the channels of `chunk`, from points to images; `function` is the
/// walk's activation.
template <class Real, int K, class Function>
void finish_strip(const WinogradPlan& plan, const WinogradWalk<Real>& walk, const Range& chunk,
                  std::int64_t first, std::int64_t count, const Real* outputs, const Function& function) {
  constexpr int kTile = 7 - K;
  for (std::int64_t c = chunk.begin; c < chunk.end; ++c) {
    const Vec<Real> bias = broadcast(walk.bias != nullptr ? walk.bias[c] : Real(0));
    for (std::int64_t t = 0; t < count; ++t) {
      const TilePlace place = place_of(plan, first + t);
      const std::int64_t h = min(kTile, walk.to_h - place.y);
      const std::int64_t w = min(kTile, walk.to_w - place.x);
      const Real* from = outputs + ((c - chunk.begin) * count + t) * kLanes;
      const std::int64_t out =
          (((place.block * plan.channels + c) * walk.to_h + place.y) * walk.to_w + place.x) * kLanes;
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        interpolate_2d<Real, kTile>(
            [&](int py, int px) { return load(from + (py * kPoints + px) * plan.outputs_slab + part); },
            [&](int y, int x, const Vec<Real>& v) {
              if (y >= h || x >= w) return;
              const std::int64_t at = out + (y * walk.to_w + x) * kLanes + part;
              Vec<Real> result = v + bias;
              if (walk.update == Update::kAdd) result += load(walk.out + at);
              if (walk.epilogue.addend != nullptr) result += load(walk.epilogue.addend + at);
              store(walk.out + at, function.in_registers(result));
            });
      }
      for (std::int64_t y = 0; y < h; ++y)
        function.in_memory(w * kLanes, walk.out + out + y * walk.to_w * kLanes);
    }
  }
}

template <class Real, class Factor, int K>
void convolve_winograd_of(const WinogradPlan& plan, const WinogradWalk<Real>& walk, Real* own,
                          const Team& team) {
  const auto [tiles, channels] = team.share_two_ways(plan.tiles, plan.parts, plan.channels);
  static_assert(sizeof(Factor) == sizeof(Real));
  Real* outputs = own + plan.outputs;
  auto* weights = reinterpret_cast<Factor*>(own + plan.weights);
  auto* inputs = reinterpret_cast<Factor*>(own + plan.inputs);
  const std::int64_t strips = ceil_div(tiles.size(), plan.strip);
  for (std::int64_t begin = channels.begin; begin < channels.end; begin += plan.chunk) {
    const Range chunk{begin, min(begin + plan.chunk, channels.end)};
    transform_weights<Real, Factor, K>(plan, walk, chunk, weights);
    for (std::int64_t s = 0; s < strips; ++s) {
      const Range strip = split(tiles.size(), strips, s);
      const std::int64_t first = tiles.begin + strip.begin;
      Factor* of_strip = inputs + (plan.chunks > 1 ? s : 0) * kTileProducts * plan.inputs_slab;
      if (plan.chunks == 1 || begin == channels.begin)
        transform_strip(plan, walk, first, strip.size(), of_strip);
      mix_channels(plan, weights, of_strip, chunk.size(), strip.size(), outputs);
      with_activation<Real>(walk.epilogue.activation, [&](const auto& function) {
        finish_strip<Real, K>(plan, walk, chunk, first, strip.size(), outputs, function);
      });
    }
  }
  team.barrier();
}

template <class Real, class Factor>
void convolve_winograd_of(const WinogradPlan& plan, const WinogradWalk<Real>& walk, Real* own,
                          const Team& team) {
  if (plan.tile == 4) {
    convolve_winograd_of<Real, Factor, 3>(plan, walk, own, team);
  } else {
    convolve_winograd_of<Real, Factor, 5>(plan, walk, own, team);
  }
}

/// `own`: this thread's scratch.
template <class Real>
void convolve_winograd(Precision precision, const WinogradPlan& plan, const WinogradWalk<Real>& walk,
                       Real* own, const Team& team) {
  if constexpr (kHasPairs<Real>) {
    if (precision == Precision::kBfloat16) return convolve_winograd_of<Real, Pair>(plan, walk, own, team);
  }
  convolve_winograd_of<Real, Real>(plan, walk, own, team);
}

}  // namespace
}  // namespace convoy::kernels
