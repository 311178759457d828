#pragma once
// Backward weights of stride-1 convolutions by minimal filtering (winograd.hpp):
//   diff_v = E_rᵀ N⁻¹ [ Σ_tiles (E_m δ E_mᵀ) ⊙ (Bᵀ d B) ] N⁻¹ E_r
//
// The sum runs over tiles and samples, so the lanes hold input channels here: src is transposed once, 16
// samples × 16 channels at a time. Each of the 36 points is then a matrix product, oc × samples times samples
// × ic, and no lanes are added. Threads split the input channels, then the output channels; an element's sum
// runs over strips, tiles and samples in order.

#include "convoy/convolution/plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/convolution/weights_channels.hpp"
#include "convoy/convolution/winograd.hpp"
#include "convoy/convolution/winograd_data.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"

namespace convoy::kernels {
namespace {

/// inputs[point][group][tile][16 samples][16 channels] for `groups` of 16 input channels; for pairs, 8 pairs
/// of samples.
template <class Real, class Factor>
void transform_strip(const WinogradPlan& plan, const Conv2dShape& s, const Range& groups, std::int64_t first,
                     std::int64_t count, const Real* src, Factor* inputs) {
  for (std::int64_t group = groups.begin; group < groups.end; ++group) {
    for (std::int64_t t = 0; t < count; ++t) {
      const TilePlace place = place_of(plan, first + t);
      const Patch<Real, kPixel<Real>> patch(
          src + (group * s.blocks + place.block) * s.ih * s.iw * kPixel<Real>, s.ih, s.iw, place.y - s.ph,
          place.x - s.pw);
      if constexpr (std::is_same_v<Factor, Pair>) {
        Factor* to = inputs + ((group - groups.begin) * count + t) * kPixel<Pair>;
        for (std::int64_t sample = 0; sample < kLanes; sample += 2) {
          for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
            PairedPoints points;
            patch.transform(sample * kLanes + part, points.keep());
            patch.transform((sample + 1) * kLanes + part,
                            points.store_with(to + sample / 2 * kLanes + part, plan.inputs_slab));
          }
        }
      } else {
        Factor* to = inputs + ((group - groups.begin) * count + t) * kPixel<Real>;
        for (std::int64_t i = 0; i < kPixel<Real>; i += kWidth<Real>)
          patch.transform(i, PointStore<Real>{to + i, plan.inputs_slab});
      }
    }
  }
}

/// outputs[point][c][tile][16 samples] = E_m δ E_mᵀ for the output channels of `chunk`.
template <class Real, class Factor, int K>
void evaluate_strip(const WinogradPlan& plan, const Conv2dShape& s, const Range& chunk, std::int64_t first,
                    std::int64_t count, const Real* diff_dst, Factor* outputs) {
  constexpr int kTile = 7 - K;
  for (std::int64_t c = chunk.begin; c < chunk.end; ++c) {
    for (std::int64_t t = 0; t < count; ++t) {
      const TilePlace place = place_of(plan, first + t);
      const std::int64_t h = min(kTile, s.oh - place.y);
      const std::int64_t w = min(kTile, s.ow - place.x);
      const Real* from = diff_dst + (((place.block * s.oc + c) * s.oh + place.y) * s.ow + place.x) * kLanes;
      const std::int64_t at = ((c - chunk.begin) * count + t) * kLanes;
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        evaluate_2d<Real, kTile>(
            [&](int y, int x) {
              return y < h && x < w ? load(from + (y * s.ow + x) * kLanes + part) : Vec<Real>{};
            },
            [&](int py, int px, const Vec<Real>& v) {
              Factor* slab = outputs + (py * kPoints + px) * plan.outputs_slab;
              if constexpr (std::is_same_v<Factor, Pair>) {
                store_halves(reinterpret_cast<std::uint16_t*>(slab) + at + part, v);
              } else {
                store(slab + at + part, v);
              }
            });
      }
    }
  }
}

/// weights[point][c][ic] (+)= Σ_tile,sample outputs[point][c][tile, sample] · inputs[point][ic][tile,
/// sample].
template <class Real, class Factor>
void sum_samples(const WinogradPlan& plan, const Factor* outputs, const Factor* inputs, std::int64_t channels,
                 std::int64_t groups, std::int64_t count, bool goes_on, Real* weights) {
  constexpr std::int64_t kSamples = std::is_same_v<Factor, Pair> ? kLanes / 2 : kLanes;  // or pairs
  TapSum<Real, Factor> sum{};
  sum.goes_on = goes_on;
  sum.reduce = 1;
  sum.rows = 1;
  sum.taps = count * kSamples;
  sum.in_tap = kLanes;
  sum.in_point = count * kSamples * kLanes;
  sum.w_channel = count * kSamples;
  sum.w_tap = 1;
  sum.out_channel = plan.weights_row;
  sum.out_point = kLanes;
  const std::int64_t tiles = ceil_div(groups, kMaxPoints);
  for (std::int64_t point = 0; point < kTileProducts; ++point) {
    for (std::int64_t i = 0; i < tiles; ++i) {
      const Range part = split(groups, tiles, i);
      sum.weights = outputs + point * plan.outputs_slab;
      sum.in = inputs + point * plan.inputs_slab + part.begin * sum.in_point;
      sum.out = weights + point * plan.weights_slab + part.begin * kLanes;
      tap_sums(sum, channels, part.size());
    }
  }
}

/// diff_weights of the output channels of `chunk` and the input channels of `groups`.
template <class Real, int K>
void finish_weights(const WinogradPlan& plan, const Conv2dShape& s, const Range& chunk, const Range& groups,
                    const Real* weights, Update update, Real* diff_weights) {
  for (std::int64_t c = chunk.begin; c < chunk.end; ++c) {
    for (std::int64_t group = groups.begin; group < groups.end; ++group) {
      const Real* from = weights + (c - chunk.begin) * plan.weights_row + (group - groups.begin) * kLanes;
      Real taps[K * K][kLanes];
      for (std::int64_t part = 0; part < kLanes; part += kWidth<Real>) {
        interpolate_2d<Real, K>(
            [&](int py, int px) {
              return load(from + (py * kPoints + px) * plan.weights_slab + part) *
                     broadcast(inverse_norm<Real>(py, px));
            },
            [&](int y, int x, const Vec<Real>& v) { store(taps[y * K + x] + part, v); });
      }
      taps_of_channels(taps[0], kLanes, K * K, min(kLanes, s.ic - group * kLanes), update,
                       diff_weights + (c * s.ic + group * kLanes) * K * K);
    }
  }
}

template <class Real, class Factor, int K>
void winograd_weights(const Conv2dShape& s, const ConvWeightsPlan& of_pass, const Real* src,
                      const Real* diff_dst, Update update, Real* diff_weights, Real* scratch,
                      const Team& team) {
  const WinogradPlan& plan = of_pass.winograd;
  Real* lanes = scratch + of_pass.channel_lanes;
  to_channel_lanes(s, src, lanes, team);
  team.barrier();
  const auto [groups, channels] = team.share_two_ways(ceil_div(s.ic, kLanes), plan.parts, s.oc);
  Real* own = scratch + of_pass.own + team.index() * of_pass.own_size;
  Real* weights = own + plan.weights;
  auto* outputs = reinterpret_cast<Factor*>(own + plan.outputs);
  auto* inputs = reinterpret_cast<Factor*>(own + plan.inputs);
  const std::int64_t strips = ceil_div(plan.tiles, plan.strip);
  for (std::int64_t begin = channels.begin; begin < channels.end; begin += plan.chunk) {
    const Range chunk{begin, min(begin + plan.chunk, channels.end)};
    for (std::int64_t i = 0; i < strips; ++i) {
      const Range strip = split(plan.tiles, strips, i);
      Factor* of_strip = inputs + (plan.chunks > 1 ? i : 0) * kTileProducts * plan.inputs_slab;
      if (plan.chunks == 1 || begin == channels.begin)
        transform_strip(plan, s, groups, strip.begin, strip.size(), lanes, of_strip);
      evaluate_strip<Real, Factor, K>(plan, s, chunk, strip.begin, strip.size(), diff_dst, outputs);
      sum_samples(plan, outputs, of_strip, chunk.size(), groups.size(), strip.size(), i > 0, weights);
    }
    finish_weights<Real, K>(plan, s, chunk, groups, weights, update, diff_weights);
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
