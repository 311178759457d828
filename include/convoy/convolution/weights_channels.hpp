#pragma once
// Backward weights with input channels in the lanes: for every tap a matrix product, oc × samples times
// samples × ic, over the outputs whose window has that tap inside the image.
//
// For layers with small images and many channels, above all dense layers: with samples in the lanes most time
// would go into adding lanes and into taps on padding. src is transposed once; an element's sum runs over
// blocks, output rows, columns and samples in order.

#include "convoy/convolution/plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/pairs.hpp"
#include "convoy/lanes/transpose.hpp"

namespace convoy::kernels {
namespace {

/// to[i·taps + k] = from[k·from_step + i] for i < channels and k < taps: stores sums with up to 16 channels
/// in the lanes to weights in memory order, or adds them.
template <class Real>
void taps_of_channels(const Real* from, std::int64_t from_step, std::int64_t taps, std::int64_t channels,
                      Update update, Real* to) {
  if (update == Update::kAdd) {
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t k = 0; k < taps; ++k) to[i * taps + k] += from[k * from_step + i];
    return;
  }
  constexpr std::int64_t kMostTaps = 4 * kLanes;
  const std::int64_t row = round_up(taps, kLanes);
  if (taps == 1 || row > kMostTaps) {
    for (std::int64_t i = 0; i < channels; ++i)
      for (std::int64_t k = 0; k < taps; ++k) to[i * taps + k] = from[k * from_step + i];
    return;
  }
  alignas(64) Real rows[kLanes * kMostTaps];
  for (std::int64_t k = 0; k < taps; k += kLanes)
    transpose_16x16(from + k * from_step, from_step, min(kLanes, taps - k), rows + k, row);
  // Full registers are written, beyond a channel's taps; the next channel's stores overwrite the excess.
  const std::int64_t end = channels * taps;
  for (std::int64_t i = 0; i < channels; ++i) {
    for (std::int64_t k = 0; k < taps; k += kWidth<Real>) {
      const std::int64_t at = i * taps + k;
      if (at + kWidth<Real> <= end) {
        store(to + at, load(rows + i * row + k));
      } else {
        for (std::int64_t rest = k; rest < taps; ++rest) to[i * taps + rest] = rows[i * row + rest];
        break;
      }
    }
  }
}

/// Elements per pixel with 16 samples and 16 channels: numbers, or pairs of two samples.
template <class Factor>
inline constexpr std::int64_t kPixel = kLanes* kLanes / kNumbers<Factor>;

/// Transposes one pixel, whose channels lie `plane` apart, to [16 samples][16 channels], zeros beyond the
/// last channel; for pairs, [8 pairs of samples][16 channels].
template <class Real, class Factor>
CONVOY_INLINE void transpose_pixel(const Real* from, std::int64_t plane, std::int64_t channels, Factor* to) {
  if constexpr (std::is_same_v<Factor, Pair>) {
    alignas(64) Real pixel[kLanes * kLanes];
    transpose_16x16(from, plane, channels, pixel, kLanes);
    for (std::int64_t pair = 0; pair < kLanes / 2; ++pair) {
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        const Real* first = pixel + 2 * pair * kLanes + part;
        store<Pair>(to + pair * kLanes + part, make_pairs(load(first), load(first + kLanes)));
      }
    }
  } else {
    transpose_16x16(from, plane, channels, to, kLanes);
  }
}

/// Transposes src to [⌈ic/16⌉][blocks][ih·iw][16 samples][16 channels], zeros beyond the last channel; for
/// pairs, [8 pairs of samples][16 channels]. Split among the team, no barrier.
template <class Real, class Factor>
void to_channel_lanes(const Conv2dShape& s, const Real* src, Factor* to, const Team& team) {
  const std::int64_t groups = ceil_div(s.ic, kLanes);
  const std::int64_t pixels = s.ih * s.iw;
  const Range items = team.share(groups * s.blocks * pixels);
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t group = item / pixels / s.blocks;
    const std::int64_t block = item / pixels % s.blocks;
    const Real* from = src + ((block * s.ic + group * kLanes) * pixels + item % pixels) * kLanes;
    const std::int64_t channels = s.ic - group * kLanes;
    Factor* at = to + item * kPixel<Factor>;
    transpose_pixel(from, pixels * kLanes, channels, at);
  }
}

/// The outputs along one axis whose window has tap k inside the image: [begin, end).
CONVOY_INLINE Range outputs_of_tap(std::int64_t tap, const AxisShape& axis) {
  const std::int64_t at = tap * axis.dilation;
  const std::int64_t begin = max(0, ceil_div(max(0, axis.padding - at), axis.stride));
  const std::int64_t last =
      axis.in - 1 + axis.padding - at;  // last input, relative to the first window's tap
  return {begin, last < 0 ? begin : max(begin, min(axis.out, last / axis.stride + 1))};
}

/// sums[tap][c][ic] for the output channels of `chunk` and the input channels of `groups`.
template <class Real, class Factor>
void sum_taps(const Conv2dShape& s, const ChannelWeightsPlan& plan, const Range& chunk, const Range& groups,
              const Factor* src, const Factor* diff_dst, Real* sums) {
  constexpr std::int64_t kSamples = kPixel<Factor> / kLanes;
  TapSum<Real, Factor> sum{};
  sum.taps = kSamples;
  sum.in_reduce = s.sh * s.iw * kPixel<Factor>;
  sum.in_row = s.sw * kPixel<Factor>;
  sum.in_tap = kLanes;
  sum.in_point = s.blocks * s.ih * s.iw * kPixel<Factor>;
  sum.w_channel = s.oh * s.ow * kSamples;
  sum.w_reduce = s.ow * kSamples;
  sum.w_row = kSamples;
  sum.w_tap = 1;
  sum.out_channel = plan.row;
  sum.out_point = kLanes;
  const std::int64_t tiles = ceil_div(groups.size(), kMaxPoints);
  for (std::int64_t tap = 0; tap < s.kh * s.kw; ++tap) {
    const std::int64_t ky = tap / s.kw;
    const std::int64_t kx = tap % s.kw;
    const Range rows = outputs_of_tap(ky, vertical_axis(s));
    const Range columns = outputs_of_tap(kx, horizontal_axis(s));
    sum.reduce = columns.size() > 0 ? rows.size() : 0;
    sum.rows = columns.size();
    const bool is_seen = sum.reduce > 0;
    const std::int64_t pixel =
        is_seen ? (rows.begin * s.sh - s.ph + ky * s.dh) * s.iw + columns.begin * s.sw - s.pw + kx * s.dw : 0;
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      sum.goes_on = block > 0;
      sum.weights = diff_dst + ((block * s.oc + chunk.begin) * s.oh * s.ow +
                                (is_seen ? rows.begin * s.ow + columns.begin : 0)) *
                                   kSamples;
      for (std::int64_t i = 0; i < tiles; ++i) {
        const Range part = split(groups.size(), tiles, i);
        const std::int64_t group = groups.begin + part.begin;
        sum.in = src + ((group * s.blocks + block) * s.ih * s.iw + pixel) * kPixel<Factor>;
        sum.out = sums + tap * plan.slab + group * kLanes;
        tap_sums(sum, chunk.size(), part.size());
      }
    }
  }
}

/// diff_weights[oc][ic][tap], assigned or added to, from sums[tap][c][ic].
template <class Real>
void scatter_taps(const Conv2dShape& s, const ChannelWeightsPlan& plan, const Range& chunk,
                  const Range& groups, const Real* sums, Update update, Real* diff_weights) {
  const std::int64_t kernel = s.kh * s.kw;
  for (std::int64_t c = chunk.begin; c < chunk.end; ++c) {
    for (std::int64_t ic = groups.begin * kLanes; ic < min(groups.end * kLanes, s.ic); ic += kLanes) {
      taps_of_channels(sums + (c - chunk.begin) * plan.row + ic, plan.slab, kernel, min(kLanes, s.ic - ic),
                       update, diff_weights + (c * s.ic + ic) * kernel);
    }
  }
}

template <class Real, class Factor>
void channel_weights(const Conv2dShape& s, const ConvWeightsPlan& of_pass, const Real* src,
                     const Real* diff_dst, Update update, Real* diff_weights, Real* scratch,
                     const Team& team) {
  const ChannelWeightsPlan& plan = of_pass.channels;
  auto* lanes = reinterpret_cast<Factor*>(scratch + of_pass.channel_lanes);
  to_channel_lanes(s, src, lanes, team);
  const Factor* diff;
  if constexpr (std::is_same_v<Factor, Pair>) {
    // Two neighbouring samples of a pixel already form a pair.
    auto* halves = reinterpret_cast<std::uint16_t*>(scratch + of_pass.dst_pairs);
    const Range share = team.share(s.blocks * s.oc * s.oh * s.ow);
    for (std::int64_t i = share.begin * kLanes; i < share.end * kLanes; i += kWidth<Real>)
      store_halves(halves + i, load(diff_dst + i));
    diff = reinterpret_cast<const Pair*>(halves);
  } else {
    diff = diff_dst;
  }
  team.barrier();
  const std::int64_t all_groups = ceil_div(s.ic, kLanes);
  const auto [groups, channels] = team.share_two_ways(all_groups, min(team.size(), all_groups), s.oc);
  Real* sums = scratch + of_pass.own + team.index() * of_pass.own_size;
  for (std::int64_t begin = channels.begin; begin < channels.end; begin += plan.chunk) {
    const Range chunk{begin, min(begin + plan.chunk, channels.end)};
    sum_taps(s, plan, chunk, groups, lanes, diff, sums);
    scatter_taps(s, plan, chunk, groups, sums, update, diff_weights);
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
