#pragma once
// Forward and backward data of stride-1 convolutions by minimal filtering (lanes/winograd.hpp).
//
// For every point of the 36, the channels are mixed by a matrix product, channels × reduce times reduce ×
// (tiles · 16 samples), with the micro-kernel of the direct convolution. Every thread works by itself, on its
// tiles and channels, in its own scratch; an element's sum runs over `reduce` in order, so neither tiles nor
// chunks nor threads are seen in a bit.

#include "convoy/core/team.hpp"
#include "convoy/kernels/kernels.hpp"
#include "kernels/conv_plan.hpp"
#include "kernels/lanes/conv_taps.hpp"
#include "kernels/lanes/winograd.hpp"

namespace convoy::kernels {
namespace {

/// out[c, y, x] = bias[c] + Σ_{r,ky,kx} in[r, y − ph + ky, x − pw + kx] · weights(c, r, ky, kx).
template <class Real>
struct WinogradWalk {
  std::int64_t from_h, from_w, to_h, to_w, ph, pw;
  std::int64_t w_channel, w_reduce;
  bool is_rotated;  ///< taps are read from the far end, by 180°
  const Real* in;
  const Real* weights;
  const Real* bias;
  Update update;
  Epilogue<Real> epilogue;
  Real* out;
};

/// Where a tile lies.
struct TilePlace {
  std::int64_t block, y, x;  ///< of its first output
};

CONVOY_INLINE TilePlace place_of(const WinogradPlan& plan, std::int64_t tile) {
  return {tile / plan.columns / plan.rows, tile / plan.columns % plan.rows * plan.tile,
          tile % plan.columns * plan.tile};
}

/// Reads above and below the picture are made here: as long as a patch is wide, at most 256 numbers a pixel.
template <class Real>
inline constexpr Real kZeroRow[kPoints * kLanes * kLanes] = {};

/// The 6 × 6 inputs of one tile in one channel's picture of kStep numbers a pixel; zeros outside it.
template <class Real, std::int64_t kStep>
struct Patch {
  const Real* row[kPoints];
  std::int64_t begin, end;  ///< columns within the picture

  CONVOY_INLINE Patch(const Real* picture, std::int64_t h, std::int64_t w, std::int64_t y, std::int64_t x)
      : begin(max(0, -x)), end(min(kPoints, w - x)) {
    CONVOY_UNROLL
    for (int i = 0; i < kPoints; ++i)
      row[i] = y + i >= 0 && y + i < h ? picture + ((y + i) * w + x) * kStep : kZeroRow<Real>;
  }

  /// Stores point (py, px) of its transform at to[(py·6 + px)·slab]; `offset` is within a pixel.
  CONVOY_INLINE void transform(std::int64_t offset, Real* to, std::int64_t slab) const {
    const auto put = [&](int py, int px, const Vec<Real>& v) { store(to + (py * kPoints + px) * slab, v); };
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

/// inputs[point][r][tile][16] of the tiles [first, first + count).
template <class Real>
void transform_strip(const WinogradPlan& plan, const WinogradWalk<Real>& walk, std::int64_t first,
                     std::int64_t count, Real* inputs) {
  const std::int64_t picture = walk.from_h * walk.from_w * kLanes;
  for (std::int64_t r = 0; r < plan.reduce; ++r) {
    for (std::int64_t t = 0; t < count; ++t) {
      const TilePlace place = place_of(plan, first + t);
      const Patch<Real, kLanes> patch(walk.in + (place.block * plan.reduce + r) * picture, walk.from_h,
                                      walk.from_w, place.y - walk.ph, place.x - walk.pw);
      Real* to = inputs + (r * count + t) * kLanes;
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>)
        patch.transform(part, to + part, plan.inputs_slab);
    }
  }
}

/// weights[point][c][r] = N⁻¹ E v Eᵀ N⁻¹ for the channels of `chunk`; zeros for r beyond the last.
template <class Real, int K>
void transform_weights(const WinogradPlan& plan, const WinogradWalk<Real>& walk, const Range& chunk,
                       Real* to) {
  for (std::int64_t c = chunk.begin; c < chunk.end; ++c) {
    for (std::int64_t r = 0; r < plan.reduce; r += kLanes) {
      Real taps[K * K][kLanes] = {};
      const Real* from = walk.weights + c * walk.w_channel + r * walk.w_reduce;
      const std::int64_t count = min(kLanes, plan.reduce - r);
      for (std::int64_t i = 0; i < count; ++i) {
        CONVOY_UNROLL
        for (int k = 0; k < K * K; ++k)
          taps[walk.is_rotated ? K * K - 1 - k : k][i] = from[i * walk.w_reduce + k];
      }
      Real* row = to + (c - chunk.begin) * plan.weights_row + r;
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        evaluate_2d<Real, K>([&](int y, int x) { return load(taps[y * K + x] + part); },
                             [&](int py, int px, const Vec<Real>& v) {
                               store(row + (py * kPoints + px) * plan.weights_slab + part,
                                     v * broadcast(inverse_norm<Real>(py, px)));
                             });
      }
    }
  }
}

/// outputs[point][c][tile][16] = Σ_r weights[point][c][r] · inputs[point][r][tile][16].
template <class Real>
void mix_channels(const WinogradPlan& plan, const Real* weights, const Real* inputs, std::int64_t channels,
                  std::int64_t count, Real* outputs) {
  TapSum<Real> sum{};
  sum.reduce = 1;
  sum.rows = 1;
  sum.taps = plan.reduce;
  sum.in_tap = count * kLanes;
  sum.in_point = kLanes;
  sum.w_channel = plan.weights_row;
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

/// The tiles [first, first + count) of the channels of `chunk`, from points to pictures.
template <class Real, int K>
void finish_strip(const WinogradPlan& plan, const WinogradWalk<Real>& walk, const Range& chunk,
                  std::int64_t first, std::int64_t count, const Real* outputs) {
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
              store(walk.out + at, walk.epilogue.relu ? rectified<Real>(result) : result);
            });
      }
    }
  }
}

template <class Real, int K>
void convolve_winograd_of(const WinogradPlan& plan, const WinogradWalk<Real>& walk, Real* scratch,
                          const Team& team) {
  // Tiles are shared out first; a team too large for them shares the channels as well.
  const std::int64_t parts = min(team.size(), ceil_div(plan.tiles, 4));
  const std::int64_t channel_parts = team.size() / parts;
  if (team.index() < parts * channel_parts) {
    const Range tiles = split(plan.tiles, parts, team.index() % parts);
    const Range channels = split(plan.channels, channel_parts, team.index() / parts);
    Real* weights = scratch + team.index() * plan.scratch_size();
    Real* outputs = weights + kTileProducts * plan.weights_slab;
    Real* inputs = outputs + kTileProducts * plan.outputs_slab;
    const std::int64_t strips = ceil_div(tiles.size(), plan.strip);
    for (std::int64_t begin = channels.begin; begin < channels.end; begin += plan.chunk) {
      const Range chunk{begin, min(begin + plan.chunk, channels.end)};
      transform_weights<Real, K>(plan, walk, chunk, weights);
      for (std::int64_t s = 0; s < strips; ++s) {
        const Range strip = split(tiles.size(), strips, s);
        const std::int64_t first = tiles.begin + strip.begin;
        Real* of_strip = inputs + (plan.chunks > 1 ? s : 0) * kTileProducts * plan.inputs_slab;
        if (plan.chunks == 1 || begin == channels.begin)
          transform_strip(plan, walk, first, strip.size(), of_strip);
        mix_channels(plan, weights, of_strip, chunk.size(), strip.size(), outputs);
        finish_strip<Real, K>(plan, walk, chunk, first, strip.size(), outputs);
      }
    }
  }
  team.barrier();
}

template <class Real>
void convolve_winograd(const WinogradPlan& plan, const WinogradWalk<Real>& walk, Real* scratch,
                       const Team& team) {
  if (plan.tile == 4) {
    convolve_winograd_of<Real, 3>(plan, walk, scratch, team);
  } else {
    convolve_winograd_of<Real, 5>(plan, walk, scratch, team);
  }
}

}  // namespace
}  // namespace convoy::kernels
