#pragma once
// conv2d_backward_weights: the gradient of the weights and the bias.
//
//   diff_weights[oc][j] = Σ_{block,oy,ox,lane} diff_dst[oc, oy, ox] · src[j, oy, ox],   j = (ic, ky, kx)
// Samples are in the lanes here too: a register tile of oc × j keeps one partial sum per lane, in the order
// block, oy, ox, and adds the 16 lanes at the end in a fixed tree. So a chain has blocks·oh·ow terms, and an
// element depends neither on its tile nor on the width of a register.
//
// Layers with small images use channels in the lanes instead (weights_channels.hpp), or minimal
// filtering (winograd_weights.hpp); the choice depends only on the shape.

#include "convoy/convolution/plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/convolution/weights_channels.hpp"
#include "convoy/convolution/weights_panels.hpp"
#include "convoy/convolution/winograd_weights.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/pairs.hpp"

namespace convoy::kernels {
namespace {

/// Channels of a tile; a tile has at most kMaxPoints columns.
inline constexpr int kWeightTileChannels = 4;

/// The sums of one tile of oc × j.
template <class Real>
struct WeightSum {
  const Conv2dShape* shape;
  const Real* src;  ///< padded with zeros if the shape has padding
  std::int64_t src_channel, src_row, src_block;
  const Real* diff_dst;  ///< of the tile's first output channel
  Range columns;         ///< j
  Update update;
  Real* diff_weights;  ///< [T][ic·kh·kw], of the tile's first output channel
};

/// Adds the output rows [rows.begin, rows.end), counted over all blocks, to the sums of one part of the
/// lanes.
template <class Real, int T, int J>
void add_rows(const WeightSum<Real>& s, const std::int64_t (&offset)[J], const Range& rows, std::int64_t part,
              Vec<Real> (&sums)[T][J]) {
  const Conv2dShape& shape = *s.shape;
  const std::int64_t diff_channel = shape.oh * shape.ow * kLanes;
  const std::int64_t step = shape.sw * kLanes;
  Vec<Real> sum[T][J];
  CONVOY_UNROLL
  for (int t = 0; t < T; ++t) {
    CONVOY_UNROLL
    for (int j = 0; j < J; ++j) sum[t][j] = sums[t][j];
  }
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t block = row / shape.oh;
    const std::int64_t oy = row % shape.oh;
    const Real* src = s.src + block * s.src_block + oy * shape.sh * s.src_row + part * kWidth<Real>;
    const Real* diff =
        s.diff_dst + block * shape.oc * diff_channel + oy * shape.ow * kLanes + part * kWidth<Real>;
    const Real* of_column[J];
    CONVOY_UNROLL
    for (int j = 0; j < J; ++j) of_column[j] = src + offset[j];
    for (std::int64_t ox = 0; ox < shape.ow; ++ox) {
      Vec<Real> d[T];
      CONVOY_UNROLL
      for (int t = 0; t < T; ++t) d[t] = load(diff + t * diff_channel);
      CONVOY_UNROLL
      for (int j = 0; j < J; ++j) {
        const Vec<Real> x = load(of_column[j] + ox * step);
        CONVOY_UNROLL
        for (int t = 0; t < T; ++t) sum[t][j] = fma(d[t], x, sum[t][j]);
      }
      diff += kLanes;
    }
  }
  CONVOY_UNROLL
  for (int t = 0; t < T; ++t) {
    CONVOY_UNROLL
    for (int j = 0; j < J; ++j) sums[t][j] = sum[t][j];
  }
}

template <class Real, int T, int J>
void weight_tile(const WeightSum<Real>& s) {
  const Conv2dShape& shape = *s.shape;
  const std::int64_t kernel = shape.kh * shape.kw;
  std::int64_t offset[J];
  CONVOY_UNROLL
  for (int j = 0; j < J; ++j) {
    const std::int64_t column = s.columns.begin + j;
    const std::int64_t ky = column % kernel / shape.kw;
    const std::int64_t kx = column % shape.kw;
    offset[j] = column / kernel * s.src_channel + ky * shape.dh * s.src_row + kx * shape.dw * kLanes;
  }
  // Where 16 lanes take several registers, their parts take turns on points that stay in the L1 cache.
  constexpr std::int64_t kPointsATurn = 64;
  const std::int64_t all = shape.blocks * shape.oh;
  const std::int64_t a_turn = kParts<Real> == 1 ? all : ceil_div(kPointsATurn, shape.ow);
  Vec<Real> sums[kParts<Real>][T][J] = {};
  for (std::int64_t row = 0; row < all; row += a_turn) {
    for (std::int64_t part = 0; part < kParts<Real>; ++part)
      add_rows<Real, T, J>(s, offset, {row, min(all, row + a_turn)}, part, sums[part]);
  }
  CONVOY_UNROLL
  for (int t = 0; t < T; ++t) {
    CONVOY_UNROLL
    for (int j = 0; j < J; ++j) {
      Real& to = s.diff_weights[t * shape.ic * kernel + s.columns.begin + j];
      const Real total = sum_of_lanes<Real>([&](std::int64_t part) { return sums[part][t][j]; });
      to = s.update == Update::kAdd ? to + total : total;
    }
  }
}

/// All tiles of oc × `columns`, split among the team.
template <class Real>
void run_weight_tiles(const WeightSum<Real>& whole, std::int64_t columns, const Team& team) {
  const Conv2dShape& shape = *whole.shape;
  const std::int64_t channel_tiles = ceil_div(shape.oc, kWeightTileChannels);
  const std::int64_t column_tiles = ceil_div(columns, kMaxPoints);
  const Range items = team.share(channel_tiles * column_tiles);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const Range channels = split(shape.oc, channel_tiles, item / column_tiles);
    WeightSum<Real> s = whole;
    s.columns = split(columns, column_tiles, item % column_tiles);
    s.diff_dst += channels.begin * shape.oh * shape.ow * kLanes;
    s.diff_weights += channels.begin * shape.ic * shape.kh * shape.kw;
    with_constant<kWeightTileChannels>(channels.size(), [&](auto t) {
      with_constant<kMaxPoints>(
          s.columns.size(), [&](auto j) { weight_tile<Real, decltype(t)::value, decltype(j)::value>(s); });
    });
  }
}

/// Copies src with a border of zeros, so that every window lies inside. Split among the team, no barrier.
template <class Real>
void copy_padded(const Conv2dShape& s, const Real* src, Real* padded, const Team& team) {
  const std::int64_t rows = s.ih + 2 * s.ph;
  const std::int64_t row_size = (s.iw + 2 * s.pw) * kLanes;
  const Range items = team.share(s.blocks * s.ic * rows);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    Real* to = padded + item * row_size;
    const std::int64_t y = item % rows - s.ph;
    if (y < 0 || y >= s.ih) {
      __builtin_memset(to, 0, static_cast<std::size_t>(row_size) * sizeof(Real));
      continue;
    }
    const Real* from = src + (item / rows * s.ih + y) * s.iw * kLanes;
    const std::size_t border_bytes = static_cast<std::size_t>(s.pw * kLanes) * sizeof(Real);
    __builtin_memset(to, 0, border_bytes);
    __builtin_memcpy(to + s.pw * kLanes, from, static_cast<std::size_t>(s.iw * kLanes) * sizeof(Real));
    __builtin_memset(to + (s.pw + s.iw) * kLanes, 0, border_bytes);
  }
}

/// diff_weights by the direct sum. `padded`: buffer for src padded with zeros.
template <class Real>
void direct_backward_weights(const Conv2dShape& shape, const Real* src, const Real* diff_dst, Update update,
                             Real* diff_weights, Real* padded, const Team& team) {
  WeightSum<Real> whole{};
  whole.update = update;
  whole.shape = &shape;
  whole.diff_dst = diff_dst;
  whole.diff_weights = diff_weights;
  whole.src = src;
  if (is_padded(shape)) {
    copy_padded(shape, src, padded, team);
    team.barrier();
    whole.src = padded;
  }
  whole.src_row = (shape.iw + 2 * shape.pw) * kLanes;
  whole.src_channel = (shape.ih + 2 * shape.ph) * whole.src_row;
  whole.src_block = shape.ic * whole.src_channel;
  run_weight_tiles<Real>(whole, shape.ic * shape.kh * shape.kw, team);
  team.barrier();
}

/// diff_bias[oc] (+)= Σ diff_dst[oc]; pixels in four interleaved chains.
template <class Real>
void sum_bias(const Conv2dShape& s, const Real* diff_dst, Update update, Real* diff_bias, const Team& team) {
  constexpr std::int64_t kChains = 4;
  const std::int64_t size = s.oh * s.ow * kLanes;
  const Range channels = team.share(s.oc);
  for (std::int64_t oc = channels.begin; oc < channels.end; ++oc) {
    Vec<Real> sum[kChains][kParts<Real>] = {};
    const auto add = [&](std::int64_t chain, const Real* pixel) {
      CONVOY_UNROLL
      for (std::int64_t part = 0; part < kParts<Real>; ++part)
        sum[chain][part] += load(pixel + part * kWidth<Real>);
    };
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const Real* diff = diff_dst + (block * s.oc + oc) * size;
      std::int64_t i = 0;
      for (; i + kChains * kLanes <= size; i += kChains * kLanes) {
        CONVOY_UNROLL
        for (std::int64_t c = 0; c < kChains; ++c) add(c, diff + i + c * kLanes);
      }
      for (; i < size; i += kLanes) add(0, diff + i);
    }
    const Real total = sum_of_lanes<Real>(
        [&](std::int64_t part) { return (sum[0][part] + sum[1][part]) + (sum[2][part] + sum[3][part]); });
    diff_bias[oc] = update == Update::kAdd ? diff_bias[oc] + total : total;
  }
}

/// diff_weights from operands of one type, by minimal filtering or the matrix product.
template <class Real, class Factor>
void backward_weights_of(const Conv2dShape& s, const ConvWeightsPlan& plan, const Real* src,
                         const Real* diff_dst, Update update, Real* diff_weights, Real* scratch,
                         const Team& team) {
  if (plan.is_blocked) {
    weights_by_panels<Real, Factor>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
  } else if (plan.algorithm == ConvAlgorithm::kMatrixProduct) {
    channel_weights<Real, Factor>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
  } else if (s.kh == 3) {
    winograd_weights<Real, Factor, 3>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
  } else {
    winograd_weights<Real, Factor, 5>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
  }
}

template <class Real>
void conv2d_backward_weights(const Conv2dShape& shape, const Real* src, const Real* diff_dst, Update update,
                             Real* diff_weights, Real* diff_bias, Real* scratch, const Team& team) {
  const Conv2dShape s = as_one_row(as_computed<Real>(shape));
  const ConvWeightsPlan plan = plan_backward_weights(s, team.size());
  if (diff_bias != nullptr) sum_bias(s, diff_dst, update, diff_bias, team);
  if (plan.algorithm != ConvAlgorithm::kDirect) {
    if constexpr (kHasPairs<Real>) {
      if (plan.is_rounded)
        return backward_weights_of<Real, Pair>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
    }
    return backward_weights_of<Real, Real>(s, plan, src, diff_dst, update, diff_weights, scratch, team);
  }
  Real* padded = scratch + plan.padded;
  // The direct sums have samples in the lanes; pairs would need another layout, so they use rounded numbers.
  if constexpr (kHasPairs<Real>) {
    if (plan.is_rounded) {
      Real* rounded_src = scratch + plan.rounded_src;
      Real* rounded_dst = scratch + plan.rounded_dst;
      round_to_bfloat16(s.blocks * s.ic * s.ih * s.iw * kLanes, src, rounded_src, team);
      round_to_bfloat16(s.blocks * s.oc * s.oh * s.ow * kLanes, diff_dst, rounded_dst, team);
      team.barrier();
      return direct_backward_weights(s, rounded_src, rounded_dst, update, diff_weights, padded, team);
    }
  }
  direct_backward_weights(s, src, diff_dst, update, diff_weights, padded, team);
}

}  // namespace
}  // namespace convoy::kernels
