#pragma once
// Backward weights of large images, as matrix products from packed operands (panels.hpp), with input channels
// in the lanes.
//
// For 4 output channels × up to 96 input channels and every tap, a register tile runs over the samples of a
// band of pixels; src of the band (with zeros for padding) is transposed once for all taps. A sum runs over
// columns and samples in the order of rows, in chains of kChainBands bands; the chains are added in order. So
// the error does not grow with the image, and no bit depends on threads or registers.

#include "convoy/convolution/panels.hpp"
#include "convoy/convolution/weights_channels.hpp"

namespace convoy::kernels {
namespace {

/// A band of outputs of one block, and the input pixels that it reads: `rows` × `pitch` of them.
struct WeightsBand {
  std::int64_t block;
  Range rows, columns;
  std::int64_t in_rows, pitch;
};

CONVOY_INLINE WeightsBand weights_band(const Conv2dShape& s, const WeightsPanelPlan& plan, std::int64_t i) {
  const std::int64_t across = ceil_div(s.ow, plan.columns);
  const std::int64_t down = ceil_div(s.oh, plan.rows);
  WeightsBand band{.block = i / across / down,
                   .rows = split(s.oh, down, i / across % down),
                   .columns = split(s.ow, across, i % across),
                   .in_rows = 0,
                   .pitch = 0};
  band.in_rows = (band.rows.size() - 1) * s.sh + s.kh;
  band.pitch = (band.columns.size() - 1) * s.sw + s.kw;
  return band;
}

/// Transposes the input pixels of `band` to [group][row][column][16 samples][16 channels]; for pairs,
/// [8 pairs of samples][16 channels].
template <class Real, class Factor>
void pack_pixels(const Conv2dShape& s, const WeightsBand& band, const Range& groups, const Real* src,
                 Factor* to) {
  const std::int64_t plane = s.ih * s.iw * kLanes;
  const std::int64_t top = band.rows.begin * s.sh - s.ph;
  const std::int64_t left = band.columns.begin * s.sw - s.pw;
  for (std::int64_t group = groups.begin; group < groups.end; ++group) {
    const std::int64_t channels = min(kLanes, s.ic - group * kLanes);
    const Real* image = src + (band.block * s.ic + group * kLanes) * plane;
    for (std::int64_t y = top; y < top + band.in_rows; ++y) {
      for (std::int64_t x = left; x < left + band.pitch; ++x, to += kPixel<Factor>) {
        if (y < 0 || y >= s.ih || x < 0 || x >= s.iw) {
          for (std::int64_t i = 0; i < kPixel<Factor>; i += kWidth<Factor>) store(to + i, Vec<Factor>{});
          continue;
        }
        transpose_pixel(image + (y * s.iw + x) * kLanes, plane, channels, to);
      }
    }
  }
}

/// Packs diff_dst of `band` to [channels / 4][pixel][16 samples][4], or [8 pairs of samples][4].
template <class Real, class Factor>
void pack_diffs(const Conv2dShape& s, const WeightsBand& band, const Range& channels, const Real* diff_dst,
                Factor* to) {
  constexpr std::int64_t kSamples = kPixel<Factor> / kLanes;
  const std::int64_t size = band.columns.size() * kSamples;
  for (std::int64_t c = channels.begin; c < channels.end; c += kQuad) {
    for (std::int64_t y = band.rows.begin; y < band.rows.end; ++y, to += size * kQuad) {
      const auto row_of = [&](std::int64_t t) {
        const std::int64_t channel = band.block * s.oc + min(c + t, channels.end - 1);
        return diff_dst + ((channel * s.oh + y) * s.ow + band.columns.begin) * kLanes;
      };
      if constexpr (std::is_same_v<Factor, Pair>) {
        alignas(64) Pair rows[kQuad][kMostWeightsPixels * kSamples];
        for (std::int64_t t = 0; t < kQuad; ++t) {
          const Real* row = row_of(t);
          for (std::int64_t i = 0; i < 2 * size; i += kWidth<Real>)
            store_halves(reinterpret_cast<std::uint16_t*>(rows[t]) + i, load(row + i));
        }
        interleave_rows<Pair>({rows[0], rows[1], rows[2], rows[3]}, size, to);
      } else {
        interleave_rows<Real>({row_of(0), row_of(1), row_of(2), row_of(3)}, size, to);
      }
    }
  }
}

/// Prefetches part `part` of `parts` of what pack_pixels and pack_diffs read.
template <class Real>
CONVOY_INLINE void prefetch_band(const Conv2dShape& s, const WeightsBand& band, const Range& groups,
                                 const Range& channels, const Real* src, const Real* diff_dst,
                                 std::int64_t part, std::int64_t parts) {
  const Range inputs =
      split((min(groups.end * kLanes, s.ic) - groups.begin * kLanes) * band.in_rows, parts, part);
  for (std::int64_t i = inputs.begin; i < inputs.end; ++i) {
    const std::int64_t channel = band.block * s.ic + groups.begin * kLanes + i / band.in_rows;
    const std::int64_t y = clamp(band.rows.begin * s.sh - s.ph + i % band.in_rows, 0, s.ih - 1);
    const std::int64_t left = max(0, band.columns.begin * s.sw - s.pw);
    const Real* row = src + ((channel * s.ih + y) * s.iw + left) * kLanes;
    const std::int64_t pixels = min(band.pitch, s.iw - left);
    for (std::int64_t x = 0; x < pixels; ++x) __builtin_prefetch(row + x * kLanes, 0, 2);
  }
  const Range outputs = split(channels.size() * band.rows.size(), parts, part);
  for (std::int64_t i = outputs.begin; i < outputs.end; ++i) {
    const std::int64_t channel = band.block * s.oc + channels.begin + i / band.rows.size();
    const std::int64_t y = band.rows.begin + i % band.rows.size();
    const Real* row = diff_dst + ((channel * s.oh + y) * s.ow + band.columns.begin) * kLanes;
    for (std::int64_t x = 0; x < band.columns.size(); ++x) __builtin_prefetch(row + x * kLanes, 0, 2);
  }
}

/// Memory of a thread: packed operands; the sums of a chain, and of all chains before, both
/// [tap][channel][group][16].
template <class Real, class Factor>
struct WeightsPanels {
  Factor* pixels;
  Factor* diffs;
  Real* chain;
  Real* total;
};

/// Adds the products of one band to the chain. `next`: prefetched meanwhile.
template <class Real, class Factor>
void add_band(const Conv2dShape& s, const WeightsPanelPlan& plan, const WeightsBand& band,
              const WeightsBand& next, const Range& groups, const Range& channels, const Real* src,
              const Real* diff_dst, bool goes_on, const WeightsPanels<Real, Factor>& own) {
  constexpr std::int64_t kSamples = kPixel<Factor> / kLanes;
  pack_pixels(s, band, groups, src, own.pixels);
  pack_diffs(s, band, channels, diff_dst, own.diffs);
  const std::int64_t pixels = band.rows.size() * band.columns.size();
  const std::int64_t taps = s.kh * s.kw;
  const std::int64_t turns = ceil_div(pixels, kTurnPixels);
  const std::int64_t quads = ceil_div(channels.size(), kQuad);
  const std::int64_t tiles = ceil_div(groups.size(), kMaxPoints);
  std::int64_t group[kMostGroups];
  std::int64_t out_group[kMostGroups];
  for (std::int64_t g = 0; g < groups.size(); ++g) {
    group[g] = g * band.in_rows * band.pitch * kPixel<Factor>;
    out_group[g] = g * kLanes;
  }
  std::int64_t offset[kTurnPixels * kLanes];
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    const Range here = split(pixels, turns, turn);
    PanelSum<Real, Factor> sum{};
    for (std::int64_t i = here.begin; i < here.end; ++i) {
      const std::int64_t y = i / band.columns.size() * s.sh;
      const std::int64_t x = i % band.columns.size() * s.sw;
      for (std::int64_t sample = 0; sample < kSamples; ++sample)
        offset[sum.terms++] = (y * band.pitch + x) * kPixel<Factor> + sample * kLanes;
    }
    sum.offset = offset;
    sum.goes_on = goes_on || turn > 0;
    sum.out_channel = plan.groups * kLanes;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      sum.in = own.pixels + (tap / s.kw * band.pitch + tap % s.kw) * kPixel<Factor>;
      prefetch_band(s, next, groups, channels, src, diff_dst, turn * taps + tap, turns * taps);
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const Range of_tile = split(groups.size(), tiles, tile);
        sum.point = group + of_tile.begin;
        sum.out_point = out_group + of_tile.begin;
        for (std::int64_t quad = 0; quad < quads; ++quad) {
          sum.weights = own.diffs + (quad * pixels + here.begin) * kSamples * kQuad;
          sum.out = own.chain + (tap * plan.chunk + quad * kQuad) * plan.groups * kLanes;
          panel_sums(sum, min(kQuad, channels.size() - quad * kQuad), of_tile.size());
        }
      }
    }
  }
}

template <class Real, class Factor>
void weights_by_panels(const Conv2dShape& s, const ConvWeightsPlan& of_pass, const Real* src,
                       const Real* diff_dst, Update update, Real* diff_weights, Real* scratch,
                       const Team& team) {
  const WeightsPanelPlan& plan = of_pass.panels;
  Real* mine = scratch + of_pass.own + team.index() * of_pass.own_size;
  const WeightsPanels<Real, Factor> own{reinterpret_cast<Factor*>(mine + plan.pixels),
                                        reinterpret_cast<Factor*>(mine + plan.diffs), mine + plan.chain,
                                        mine + plan.total};
  const std::int64_t all_groups = ceil_div(s.ic, kLanes);
  const auto [groups, channels] = team.share_two_ways(all_groups, min(team.size(), all_groups), s.oc);
  const std::int64_t bands = s.blocks * ceil_div(s.oh, plan.rows) * ceil_div(s.ow, plan.columns);
  const std::int64_t taps = s.kh * s.kw;
  const std::int64_t row = plan.groups * kLanes;
  for (std::int64_t g = groups.begin; g < groups.end; g += plan.groups) {
    const Range some{g, min(groups.end, g + plan.groups)};
    for (std::int64_t c = channels.begin; c < channels.end; c += plan.chunk) {
      const Range chunk{c, min(channels.end, c + plan.chunk)};
      for (std::int64_t i = 0; i < bands; ++i) {
        add_band(s, plan, weights_band(s, plan, i), weights_band(s, plan, min(i + 1, bands - 1)), some, chunk,
                 src, diff_dst, i % kChainBands > 0, own);
        if (i % kChainBands + 1 < kChainBands && i + 1 < bands) continue;
        const bool is_first = i < kChainBands;
        for (std::int64_t at = 0; at < taps * plan.chunk * row; at += kWidth<Real>) {
          const Vec<Real> chain = load(own.chain + at);
          store<Real>(own.total + at, is_first ? chain : load(own.total + at) + chain);
        }
      }
      for (std::int64_t channel = chunk.begin; channel < chunk.end; ++channel) {
        for (std::int64_t group = some.begin; group < some.end; ++group)
          taps_of_channels(own.total + (channel - c) * row + (group - g) * kLanes, plan.chunk * row, taps,
                           min(kLanes, s.ic - group * kLanes), update,
                           diff_weights + (channel * s.ic + group * kLanes) * taps);
      }
    }
  }
  team.barrier();
}

}  // namespace
}  // namespace convoy::kernels
