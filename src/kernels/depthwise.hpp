#pragma once
// Depthwise convolutions: every channel has a kernel of its own (groups = ic = oc).
//
// There is no sum over channels, so a channel's plane is read and written once, and time goes into loads: a
// register tile is one row of neighbouring points, which share most of what they read. Forward and backward
// data are one loop (convolution/walk.hpp), with the sums in the order ky, kx of the direct sum; points at
// the border form runs of their own. The gradient of the weights has a sum for each tap in a register.
// Operands stay float32 with train.precision = bf16: pairs need channels to sum over.

#include "convoy/convolution/data.hpp"
#include "convoy/convolution/weights.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"

namespace convoy::kernels {
namespace {

[[gnu::always_inline]] inline bool is_depthwise(const Conv2dShape& s) {
  return s.groups > 1 && s.groups == s.ic && s.groups == s.oc;
}

/// Points of a tile, and sums of a tile of the gradient of the weights.
#if CONVOY_VECTOR_BYTES == 64
inline constexpr int kMostTilePoints = 8;
inline constexpr int kMostTapSums = 15;
#else
inline constexpr int kMostTilePoints = 4;
inline constexpr int kMostTapSums = 9;
#endif
/// Taps along a row of such a tile.
inline constexpr int kMostTileTaps = 5;

/// X points with K taps in each row; neighbouring points read Step pixels apart, neighbouring taps one pixel
/// to the right (Sign = 1) or left (−1).
template <class Real, int K, int X, int Step, int Sign>
void depthwise_tile(const TapSum<Real>& s) {
  const auto at = [&](int, int x) { return x * s.out_point; };
  Vec<Real> sum[1][X];
  begin_tile<Real, 1, X>(s.goes_on, s.out, s.bias, at, sum);
  const Real* in = s.in;
  const Real* w = s.weights;
  for (std::int64_t y = 0; y < s.rows; ++y) {
    CONVOY_UNROLL
    for (int k = 0; k < K; ++k) {
      const Vec<Real> weight = broadcast(w[k * s.w_tap]);
      CONVOY_UNROLL
      for (int x = 0; x < X; ++x)
        sum[0][x] = fma(weight, load(in + (Step * x + Sign * k) * kLanes), sum[0][x]);
    }
    in += s.in_row;
    w += s.w_row;
  }
  finish_tile<Real, 1, X>(s.epilogue, at, sum, s.out);
}

/// All `points` of a run, in tiles.
template <class Real, int K, int Step, int Sign>
void depthwise_run(TapSum<Real> s, std::int64_t points) {
  const auto tiles_of = [&](auto x) {
    constexpr int kAtOnce = decltype(x)::value;
    for (; points >= kAtOnce; points -= kAtOnce) {
      for (std::int64_t part = 0; part < kParts<Real>; ++part)
        depthwise_tile<Real, K, kAtOnce, Step, Sign>(part_of_lanes(s, part * kWidth<Real>));
      s.in += std::int64_t{kAtOnce} * Step * kLanes;
      s.out += kAtOnce * s.out_point;
      if (s.epilogue.addend != nullptr) s.epilogue.addend += kAtOnce * s.out_point;
    }
  };
  if constexpr (kMostTilePoints > 4) tiles_of(std::integral_constant<int, kMostTilePoints>{});
  tiles_of(std::integral_constant<int, 4>{});
  tiles_of(std::integral_constant<int, 2>{});
  tiles_of(std::integral_constant<int, 1>{});
}

/// The same with any steps and number of taps.
template <class Real>
void depthwise_run_of_any_taps(TapSum<Real> s, std::int64_t points) {
  for (; points > 0; points -= kMaxPoints) {
    tap_sums(s, 1, min(points, kMaxPoints));
    s.in += kMaxPoints * s.in_point;
    s.out += kMaxPoints * s.out_point;
    if (s.epilogue.addend != nullptr) s.epilogue.addend += kMaxPoints * s.out_point;
  }
}

template <class Real>
void run_depthwise(const TapSum<Real>& s, std::int64_t points) {
  const bool is_forward = s.in_tap == kLanes;
  if (is_forward && s.in_point == kLanes) {
    if (s.taps == 3) return depthwise_run<Real, 3, 1, 1>(s, points);
    if (s.taps == 5) return depthwise_run<Real, 5, 1, 1>(s, points);
    if (s.taps == 7) return depthwise_run<Real, 7, 1, 1>(s, points);
  } else if (is_forward && s.in_point == 2 * kLanes) {
    if (s.taps == 3) return depthwise_run<Real, 3, 2, 1>(s, points);
    if (s.taps == 5) return depthwise_run<Real, 5, 2, 1>(s, points);
  } else if (s.in_tap == -kLanes && s.in_point == kLanes) {
    if (s.taps == 1) return depthwise_run<Real, 1, 1, -1>(s, points);
    if (s.taps == 2) return depthwise_run<Real, 2, 1, -1>(s, points);
    if (s.taps == 3) return depthwise_run<Real, 3, 1, -1>(s, points);
    if (s.taps == 5) return depthwise_run<Real, 5, 1, -1>(s, points);
    if (s.taps == 7) return depthwise_run<Real, 7, 1, -1>(s, points);
  }
  depthwise_run_of_any_taps(s, points);
}

/// Neighbouring points of one phase with the same taps inside the image: points first + i·step, i < count.
struct PointRun {
  std::int64_t first, count;
  TapRange taps;  ///< of the first point
};

/// Calls f(run) for all runs of an axis; the interior is one run, a border point usually a run of one.
template <class Function>
CONVOY_INLINE void for_each_run(const Axis& axis, const Function& f) {
  const std::int64_t step = axis.point_step();
  for (std::int64_t phase = 0; phase < min(step, axis.to); ++phase) {
    std::int64_t point = phase;
    while (point < axis.to) {
      const TapRange taps = taps_of(axis, point);
      std::int64_t length = 1;
      while (point + length * step < axis.to) {
        const TapRange next = taps_of(axis, point + length * step);
        if (next.tap != taps.tap || next.count != taps.count) break;
        ++length;
      }
      f(PointRun{point, length, taps});
      point += length * step;
    }
  }
}

/// Forward or backward data of the planes of this thread; `walk` describes all channels together.
template <class Real>
void convolve_depthwise(const ConvWalk<Real>& walk, const Team& team) {
  const Axis& v = walk.vertical;
  const Axis& h = walk.horizontal;
  TapSum<Real> sum{};
  sum.goes_on = walk.update == Update::kAdd;
  sum.reduce = 1;
  sum.in_row = v.read_step() * h.from * kLanes;
  sum.in_tap = h.read_step() * kLanes;
  sum.in_point = h.point_read_step() * kLanes;
  sum.w_row = v.tap_step() * h.kernel;
  sum.w_tap = h.tap_step();
  sum.out_point = h.point_step() * kLanes;
  const Range planes = team.share(walk.blocks * walk.channels);
  for_each_run(h, [&](const PointRun& run) {
    sum.taps = run.taps.count;
    const std::int64_t read = run.taps.count > 0 ? run.taps.read : 0;
    for (std::int64_t plane = planes.begin; plane < planes.end; ++plane) {
      const std::int64_t channel = plane % walk.channels;
      sum.bias = walk.bias != nullptr ? walk.bias + channel : nullptr;
      const Real* weights = walk.weights + channel * v.kernel * h.kernel + run.taps.tap;
      for (std::int64_t y = 0; y < v.to; ++y) {
        const TapRange rows = taps_of(v, y);
        sum.rows = rows.count;
        sum.weights = weights + rows.tap * h.kernel;
        sum.in = walk.in + ((plane * v.from + (rows.count > 0 ? rows.read : 0)) * h.from + read) * kLanes;
        const std::int64_t out = ((plane * v.to + y) * h.to + run.first) * kLanes;
        sum.out = walk.out + out;
        sum.epilogue = walk.epilogue;
        if (walk.epilogue.addend != nullptr) sum.epilogue.addend += out;
        run_depthwise(sum, run.count);
      }
    }
  });
  with_activation<Real>(walk.epilogue.activation, [&](const auto& function) {
    const std::int64_t plane = v.to * h.to * kLanes;
    function.in_memory(planes.size() * plane, walk.out + planes.begin * plane);
  });
  team.barrier();
}

/// Adds Σ_x diff[x]·in[x·step + ky·in_row + kx·in_tap] over `points` to sums[ky·w_row + kx], each 16 lanes.
template <class Real, int KY, int KX>
void add_tap_sums(const Real* diff, const Real* in, std::int64_t in_row, std::int64_t in_tap,
                  std::int64_t step, std::int64_t points, std::int64_t w_row, Real* sums) {
  for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
    Vec<Real> sum[KY][KX] = {};
    const Real* d = diff + part;
    const Real* pixel = in + part;
    for (std::int64_t x = 0; x < points; ++x) {
      const Vec<Real> of_point = load(d);
      CONVOY_UNROLL
      for (int ky = 0; ky < KY; ++ky) {
        CONVOY_UNROLL
        for (int kx = 0; kx < KX; ++kx)
          sum[ky][kx] = fma(of_point, load(pixel + ky * in_row + kx * in_tap), sum[ky][kx]);
      }
      d += kLanes;
      pixel += step;
    }
    CONVOY_UNROLL
    for (int ky = 0; ky < KY; ++ky) {
      CONVOY_UNROLL
      for (int kx = 0; kx < KX; ++kx) {
        Real* to = sums + (ky * w_row + kx) * kLanes + part;
        store(to, load(to) + sum[ky][kx]);
      }
    }
  }
}

/// The taps [rows] × [columns] of one output row's run, in tiles of sums that fit the registers. Pointers are
/// at the first tap.
template <class Real>
void add_row_of_taps(const Conv2dShape& s, const Real* diff, const Real* in, std::int64_t points,
                     std::int64_t rows, std::int64_t columns, Real* sums) {
  const std::int64_t in_row = s.dh * s.iw * kLanes;
  const std::int64_t in_tap = s.dw * kLanes;
  const std::int64_t column_tiles = ceil_div(columns, kMostTileTaps);
  for (std::int64_t i = 0; i < column_tiles; ++i) {
    const Range kx = split(columns, column_tiles, i);
    const std::int64_t most_rows = min(3, kMostTapSums / kx.size());
    for (std::int64_t ky = 0; ky < rows; ky += most_rows) {
      with_constant<kMostTileTaps>(kx.size(), [&](auto across) {
        constexpr int kAcross = decltype(across)::value;
        constexpr int kMostDown = kMostTapSums / kAcross < 3 ? kMostTapSums / kAcross : 3;
        with_constant<kMostDown>(min(most_rows, rows - ky), [&](auto down) {
          add_tap_sums<Real, decltype(down)::value, kAcross>(diff, in + ky * in_row + kx.begin * in_tap,
                                                             in_row, in_tap, s.sw * kLanes, points, s.kw,
                                                             sums + (ky * s.kw + kx.begin) * kLanes);
        });
      });
    }
  }
}

/// diff_weights[c][ky][kx]. A row's products are added in a register, then to the sum of the rows before; the
/// 16 lanes last. `scratch`: [threads][kh·kw][16].
template <class Real>
void depthwise_weights(const Conv2dShape& s, const Real* src, const Real* diff_dst, Update update,
                       Real* diff_weights, Real* scratch, const Team& team) {
  const Axis v{Direction::kForward, s.ih, s.oh, s.kh, s.sh, s.ph, s.dh};
  const Axis h{Direction::kForward, s.iw, s.ow, s.kw, s.sw, s.pw, s.dw};
  const std::int64_t kernel = s.kh * s.kw;
  Real* sums = scratch + team.index() * kernel * kLanes;
  const Range channels = team.share(s.oc);
  for (std::int64_t c = channels.begin; c < channels.end; ++c) {
    __builtin_memset(sums, 0, static_cast<std::size_t>(kernel * kLanes) * sizeof(Real));
    for_each_run(h, [&](const PointRun& run) {
      if (run.taps.count == 0) return;
      for (std::int64_t block = 0; block < s.blocks; ++block) {
        const std::int64_t plane = block * s.oc + c;
        for (std::int64_t y = 0; y < s.oh; ++y) {
          const TapRange rows = taps_of(v, y);
          if (rows.count == 0) continue;
          add_row_of_taps(s, diff_dst + ((plane * s.oh + y) * s.ow + run.first) * kLanes,
                          src + ((plane * s.ih + rows.read) * s.iw + run.taps.read) * kLanes, run.count,
                          rows.count, run.taps.count, sums + (rows.tap * s.kw + run.taps.tap) * kLanes);
        }
      }
    });
    for (std::int64_t tap = 0; tap < kernel; ++tap) {
      const Real total = sum_of_lanes<Real>(
          [&](std::int64_t part) { return load(sums + tap * kLanes + part * kWidth<Real>); });
      Real& to = diff_weights[c * kernel + tap];
      to = update == Update::kAdd ? to + total : total;
    }
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
