#pragma once
// How a convolution is computed and what scratch that takes, decided by the shape alone: shared by the
// function that tells callers how much they need and the kernels that use it. Internal linkage, see
// lanes/simd.hpp.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {
namespace {

[[gnu::always_inline]] inline bool is_padded(const Conv2dShape& s) {
  return s.ph > 0 || s.pw > 0;
}

/// Padded: src within zeros, [blocks][ic][ih + 2·ph][iw + 2·pw][16].
[[gnu::always_inline]] inline std::int64_t padded_size(const Conv2dShape& s) {
  return s.blocks * s.ic * (s.ih + 2 * s.ph) * (s.iw + 2 * s.pw) * kLanes;
}

[[gnu::always_inline]] inline constexpr std::int64_t round_up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
[[gnu::always_inline]] inline std::int64_t clamp(std::int64_t n, std::int64_t low, std::int64_t high) {
  return n < low ? low : n > high ? high : n;
}

/// Products of one tile by minimal filtering: kPoints² (lanes/winograd.hpp).
inline constexpr std::int64_t kTileProducts = 36;

/// A stride-1 convolution by minimal filtering: `reduce` channels read, `channels` written, pictures of h × w
/// written in tiles of m × m outputs.
struct WinogradPlan {
  std::int64_t reduce, channels;
  std::int64_t tile;           ///< m
  std::int64_t rows, columns;  ///< tiles of a picture
  std::int64_t tiles;          ///< of all blocks
  std::int64_t strip;          ///< most tiles in hand at a time
  std::int64_t chunk;          ///< most channels in hand at a time
  std::int64_t chunks;

  // Steps between the slabs of two points, in elements; an odd number of cache lines, so that the 36 stores
  // of a transform fall on different cache sets.
  std::int64_t parts;  ///< of the tiles, one a thread (or group of threads) of the team
  std::int64_t kept;   ///< strips of inputs a thread keeps: all of its own where several chunks read them
  std::int64_t weights_row, weights_slab;  ///< [point][channel of the chunk][reduce]
  std::int64_t inputs_slab;                ///< [point][reduce][tile of the strip][16]
  std::int64_t outputs_slab;               ///< [point][channel of the chunk][tile of the strip][16]

  /// Elements a thread needs for itself.
  [[gnu::always_inline]] std::int64_t scratch_size() const {
    return kTileProducts * (weights_slab + kept * inputs_slab + outputs_slab);
  }
};

/// Plans reading `reduce` channels and writing `channels` of h × w with a kernel × kernel window, for teams
/// of `threads`: they decide what a thread keeps, and no bit.
[[gnu::always_inline]] inline WinogradPlan plan_winograd(std::int64_t blocks, std::int64_t reduce,
                                                         std::int64_t channels, std::int64_t h,
                                                         std::int64_t w, std::int64_t kernel,
                                                         std::int64_t threads) {
  // What is in hand should fit a core's second-level cache; none of these decides a bit.
  constexpr std::int64_t kChunkWeights = 4096;  // pairs of channels: 36 · 4 bytes each
  constexpr std::int64_t kStripVectors = 384;   // 36 · 64 bytes each
  WinogradPlan plan{};
  plan.reduce = reduce;
  plan.channels = channels;
  plan.tile = 7 - kernel;
  plan.rows = (h + plan.tile - 1) / plan.tile;
  plan.columns = (w + plan.tile - 1) / plan.tile;
  plan.tiles = blocks * plan.rows * plan.columns;
  const std::int64_t most = clamp(kChunkWeights / reduce / 8 * 8, 8, 512);
  plan.chunks = (channels + most - 1) / most;
  plan.chunk = round_up((channels + plan.chunks - 1) / plan.chunks, 8);
  const std::int64_t strip = clamp(kStripVectors / (reduce + plan.chunk), 4, 12);
  const std::int64_t strips = (plan.tiles + strip - 1) / strip;
  plan.strip = (plan.tiles + strips - 1) / strips;
  // Tiles are shared out first; a team too large for them shares the channels as well.
  const std::int64_t most_parts = (plan.tiles + 3) / 4;
  plan.parts = threads < most_parts ? threads : most_parts;
  const std::int64_t own = (plan.tiles + plan.parts - 1) / plan.parts;
  plan.kept = plan.chunks > 1 ? (own + plan.strip - 1) / plan.strip : 1;
  plan.weights_row = round_up(reduce, kLanes);
  plan.weights_slab = plan.chunk * plan.weights_row + kLanes;
  plan.inputs_slab = (reduce * plan.strip | 1) * kLanes;
  plan.outputs_slab = (plan.chunk * plan.strip | 1) * kLanes;
  return plan;
}

/// What both sides count before choosing, in multiply-adds of one register of a set: measured.
inline constexpr std::int64_t kInputTransform = 200;   // of one tile and channel
inline constexpr std::int64_t kOutputTransform = 150;  // likewise
inline constexpr std::int64_t kWeightTransform = 16;   // of one pair of channels
inline constexpr std::int64_t kTransposition = 6;      // of 16 numbers

/// Whether the layer is one that minimal filtering can do at all.
[[gnu::always_inline]] inline bool is_winograd_shape(const Conv2dShape& s) {
  return s.kh == s.kw && (s.kh == 3 || s.kh == 5) && s.sh == 1 && s.sw == 1 && s.ph < s.kh && s.pw < s.kw;
}

/// Products one multiply-add of a register makes a lane: pairs of bfloat16 make two.
[[gnu::always_inline]] inline std::int64_t products_at_once(Precision precision) {
  return precision == Precision::kBfloat16 ? 2 : 1;
}

/// Elements of [outer][⌈channels/2⌉][plane] pairs (lanes/pairs.hpp).
[[gnu::always_inline]] inline std::int64_t paired_size(std::int64_t outer, std::int64_t channels,
                                                       std::int64_t plane) {
  return round_up(outer * ((channels + 1) / 2) * plane, kLanes);
}

/// Whether `plan` takes less time than the direct sum over the outputs' taps.
[[gnu::always_inline]] inline bool winograd_wins(const WinogradPlan& plan, std::int64_t blocks,
                                                 std::int64_t h, std::int64_t w, Precision precision) {
  const std::int64_t at_once = products_at_once(precision);
  const std::int64_t kernel = 7 - plan.tile;
  const std::int64_t pairs = plan.reduce * plan.channels;
  const std::int64_t winograd =
      plan.tiles * (at_once * (kInputTransform * plan.reduce + kOutputTransform * plan.channels) +
                    kTileProducts * pairs) +
      at_once * kWeightTransform * pairs;
  const std::int64_t direct = blocks * h * w * kernel * kernel * pairs;
  return 10 * winograd < 9 * direct;
}

[[gnu::always_inline]] inline WinogradPlan plan_forward(const Conv2dShape& s, std::int64_t threads) {
  return plan_winograd(s.blocks, s.ic, s.oc, s.oh, s.ow, s.kh, threads);
}
[[gnu::always_inline]] inline bool forward_uses_winograd(const Conv2dShape& s) {
  return is_winograd_shape(s) && winograd_wins(plan_forward(s, 1), s.blocks, s.oh, s.ow, s.precision);
}

[[gnu::always_inline]] inline WinogradPlan plan_backward_data(const Conv2dShape& s, std::int64_t threads) {
  return plan_winograd(s.blocks, s.oc, s.ic, s.ih, s.iw, s.kh, threads);
}
[[gnu::always_inline]] inline bool backward_data_uses_winograd(const Conv2dShape& s) {
  return is_winograd_shape(s) && winograd_wins(plan_backward_data(s, 1), s.blocks, s.ih, s.iw, s.precision);
}

/// Channels of one work item of the direct sum; the last may have fewer. Not split evenly: whole groups fill
/// whole tiles.
inline constexpr std::int64_t kChannelGroup = 16;

/// Whether a direct sum writes rows so narrow that hardly two neighbours see the same taps of a kernel. Its
/// longest loop is then the one over the channels read, and it runs innermost: the order ky, kx, channel.
[[gnu::always_inline]] inline bool sums_channels_last(std::int64_t kernel, std::int64_t reduce,
                                                      std::int64_t w) {
  return kernel > 1 && w < 4 && reduce >= kLanes;
}
/// Whether the direct sum over `reduce` channels copies the weights of a group of channels, side by side,
/// before it walks over the picture. Backward data also does where the weights of the channels read lie so
/// far apart that every one is on a page of its own.
[[gnu::always_inline]] inline bool forward_packs(const Conv2dShape& s) {
  return sums_channels_last(s.kh * s.kw, s.ic, s.ow);
}
[[gnu::always_inline]] inline bool backward_data_packs(const Conv2dShape& s) {
  constexpr std::int64_t kPage = 4096 / sizeof(float);
  const std::int64_t kernel = s.kh * s.kw;
  return sums_channels_last(kernel, s.oc, s.iw) || (kernel > 1 && s.ic * kernel >= kPage);
}
/// Elements of the copy for `reduce` channels, or pairs of them.
[[gnu::always_inline]] inline std::int64_t packed_size(const Conv2dShape& s, std::int64_t reduce) {
  return kChannelGroup * reduce * s.kh * s.kw;
}

/// Backward weights sum over tiles and samples; the plan's `reduce` are the input channels in vectors of 16,
/// of which a thread has its share and keeps the inputs of all tiles.
[[gnu::always_inline]] inline WinogradPlan plan_backward_weights(const Conv2dShape& s, std::int64_t threads) {
  const std::int64_t groups = (s.ic + kLanes - 1) / kLanes;
  WinogradPlan plan = plan_winograd(s.blocks, groups * kLanes, s.oc, s.oh, s.ow, s.kh, 1);
  plan.parts = threads < groups ? threads : groups;
  const std::int64_t own = (groups + plan.parts - 1) / plan.parts * kLanes;
  plan.weights_row = own;
  plan.weights_slab = plan.chunk * own + kLanes;
  plan.inputs_slab = (own * plan.strip | 1) * kLanes;
  return plan;
}
/// src with channels in the lanes, [⌈ic/16⌉][blocks][ih][iw][16 samples][16 channels].
[[gnu::always_inline]] inline std::int64_t channel_lanes_size(const Conv2dShape& s) {
  return round_up(s.ic, kLanes) * s.blocks * s.ih * s.iw * kLanes;
}
[[gnu::always_inline]] inline bool backward_weights_uses_winograd(const Conv2dShape& s) {
  if (!is_winograd_shape(s)) return false;
  const WinogradPlan plan = plan_backward_weights(s, 1);
  const std::int64_t winograd =
      plan.tiles * (kInputTransform * plan.reduce + kOutputTransform * s.oc +
                    kTileProducts / products_at_once(s.precision) * plan.reduce * s.oc) +
      kTransposition * plan.reduce * s.blocks * s.ih * s.iw + kWeightTransform * plan.reduce * s.oc;
  const std::int64_t direct = s.blocks * s.oh * s.ow * s.kh * s.kw * s.ic * s.oc;
  return 10 * winograd < 9 * direct;
}

/// Backward weights with channels in the lanes (lanes/conv_weights_channels.hpp).
struct ChannelWeightsPlan {
  std::int64_t row;        ///< ic in vectors of 16
  std::int64_t chunk;      ///< output channels in hand
  std::int64_t slab;       ///< of a tap, [chunk][row] and a cache line
  std::int64_t sums_size;  ///< elements a thread needs for itself
};
[[gnu::always_inline]] inline ChannelWeightsPlan plan_channel_weights(const Conv2dShape& s) {
  ChannelWeightsPlan plan{};
  plan.row = round_up(s.ic, kLanes);
  plan.chunk = s.oc < 8 ? s.oc : 8;
  plan.slab = plan.chunk * plan.row + kLanes;
  plan.sums_size = s.kh * s.kw * plan.slab;
  return plan;
}
/// diff_dst in bfloat16, in elements of 4 bytes.
[[gnu::always_inline]] inline std::int64_t paired_dst_size(const Conv2dShape& s) {
  return s.precision == Precision::kBfloat16 ? s.blocks * s.oc * s.oh * s.ow * kLanes / 2 : 0;
}

/// Windows' taps that fall on the picture, along one axis, over all outputs.
[[gnu::always_inline]] inline std::int64_t seen_taps(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                                     std::int64_t stride, std::int64_t padding) {
  std::int64_t seen = 0;
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t origin = o * stride - padding;
    const std::int64_t begin = origin < 0 ? -origin : 0;
    const std::int64_t end = kernel < in - origin ? kernel : in - origin;
    seen += end > begin ? end - begin : 0;
  }
  return seen;
}

/// Of a pair of channels of one sample: a tap falls on the picture or beside it along each axis by itself.
[[gnu::always_inline]] inline std::int64_t seen_taps(const Conv2dShape& s) {
  return seen_taps(s.ih, s.oh, s.kh, s.sh, s.ph) * seen_taps(s.iw, s.ow, s.kw, s.sw, s.pw);
}

/// Whether channels in the lanes take less time than samples in the lanes, which take the padding's taps
/// along and add their lanes at the end.
[[gnu::always_inline]] inline bool backward_weights_uses_channels(const Conv2dShape& s) {
  constexpr std::int64_t kLaneSum = 14;  // of one weight, in multiply-adds of a register: measured
  constexpr std::int64_t kScatter = 3;   // likewise; it is less now, but what is chosen decides bits
  const std::int64_t kernel = s.kh * s.kw;
  const std::int64_t seen = seen_taps(s) * s.blocks;
  const std::int64_t by_channels =
      (seen / products_at_once(s.precision) + kScatter * kernel) * round_up(s.ic, kLanes);
  const std::int64_t by_samples = (s.blocks * s.oh * s.ow + kLaneSum) * kernel * s.ic;
  return 10 * by_channels < 9 * by_samples;
}

}  // namespace
}  // namespace convoy::kernels
