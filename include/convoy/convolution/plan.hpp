#pragma once
// Plans of convolutions: the algorithm and the scratch layout of each pass. One function makes the plan of a
// pass; the planner of an instruction set reads the scratch size from it (planner.hpp), the kernels the
// offsets. Part of each instruction set; at present all sets decide by the shape alone. Internal linkage, see
// lanes/simd.hpp.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"

namespace convoy::kernels {
namespace {

[[gnu::always_inline]] inline bool is_padded(const Conv2dShape& s) {
  return s.ph > 0 || s.pw > 0;
}

/// Size of src padded with zeros, [blocks][ic][ih + 2·ph][iw + 2·pw][16].
[[gnu::always_inline]] inline std::int64_t padded_size(const Conv2dShape& s) {
  return s.blocks * s.ic * (s.ih + 2 * s.ph) * (s.iw + 2 * s.pw) * kLanes;
}

[[gnu::always_inline]] inline constexpr std::int64_t round_up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
[[gnu::always_inline]] inline std::int64_t clamp(std::int64_t n, std::int64_t low, std::int64_t high) {
  return n < low ? low : n > high ? high : n;
}

/// Assigns offsets to the parts of scratch, one after another. Units: elements.
struct ScratchParts {
  std::int64_t size = 0;
  /// Returns the offset of a new part of `elements`.
  [[gnu::always_inline]] std::int64_t add(std::int64_t elements) {
    const std::int64_t begin = size;
    size += elements;
    return begin;
  }
};

/// Products of one tile by minimal filtering: kPoints² (winograd.hpp).
inline constexpr std::int64_t kTileProducts = 36;

/// A stride-1 convolution for minimal filtering: reads `reduce` channels, writes `channels` of h × w, with a
/// kernel × kernel window.
struct WinogradShape {
  std::int64_t blocks, reduce, channels;
  std::int64_t h, w;
  std::int64_t kernel;
};

/// Its plan, in tiles of m × m outputs.
struct WinogradPlan {
  std::int64_t reduce, channels;
  std::int64_t tile;           ///< m
  std::int64_t rows, columns;  ///< tiles of an image
  std::int64_t tiles;          ///< tiles of all blocks
  std::int64_t strip;          ///< maximum tiles processed at a time
  std::int64_t chunk;          ///< maximum channels processed at a time
  std::int64_t chunks;

  // Distance between the slabs of two points, in elements: an odd number of cache lines, so that the 36
  // stores of a transform use different cache sets.
  std::int64_t parts;  ///< parts of the tiles, one per thread (or group of threads) of the team
  std::int64_t kept;   ///< strips of inputs that a thread keeps: all its strips if several chunks read them
  std::int64_t weights_row, weights_slab;  ///< [point][channel of the chunk][reduce]
  std::int64_t inputs_slab;                ///< [point][reduce][tile of the strip][16]
  std::int64_t outputs_slab;               ///< [point][channel of the chunk][tile of the strip][16]

  // A thread's own scratch: offsets of the slabs of weights, inputs and outputs, and its size.
  std::int64_t weights, inputs, outputs;
  std::int64_t own_size;
};

/// Sets the offsets in a thread's own scratch from the slab sizes.
[[gnu::always_inline]] inline void place_slabs(WinogradPlan& plan) {
  ScratchParts parts;
  plan.outputs = parts.add(kTileProducts * plan.outputs_slab);
  plan.weights = parts.add(kTileProducts * plan.weights_slab);
  plan.inputs = parts.add(kTileProducts * plan.kept * plan.inputs_slab);
  plan.own_size = parts.size;
}

/// The plan for teams of `threads`. The team size affects the scratch of a thread, not the results.
[[gnu::always_inline]] inline WinogradPlan plan_winograd(const WinogradShape& shape, std::int64_t threads) {
  // The data processed at a time should fit a core's L2 cache. These constants do not affect the results.
  constexpr std::int64_t kChunkWeights = 4096;  // pairs of channels: 36 · 4 bytes each
  constexpr std::int64_t kStripVectors = 384;   // 36 · 64 bytes each
  WinogradPlan plan{};
  const std::int64_t reduce = shape.reduce;
  const std::int64_t channels = shape.channels;
  plan.reduce = reduce;
  plan.channels = channels;
  plan.tile = 7 - shape.kernel;
  plan.rows = (shape.h + plan.tile - 1) / plan.tile;
  plan.columns = (shape.w + plan.tile - 1) / plan.tile;
  plan.tiles = shape.blocks * plan.rows * plan.columns;
  const std::int64_t most = clamp(kChunkWeights / reduce / 8 * 8, 8, 512);
  plan.chunks = (channels + most - 1) / most;
  plan.chunk = round_up((channels + plan.chunks - 1) / plan.chunks, 8);
  const std::int64_t strip = clamp(kStripVectors / (reduce + plan.chunk), 4, 12);
  const std::int64_t strips = (plan.tiles + strip - 1) / strip;
  plan.strip = (plan.tiles + strips - 1) / strips;
  // Split the tiles first; a team with more threads than tiles also splits the channels.
  const std::int64_t most_parts = (plan.tiles + 3) / 4;
  plan.parts = threads < most_parts ? threads : most_parts;
  const std::int64_t own = (plan.tiles + plan.parts - 1) / plan.parts;
  plan.kept = plan.chunks > 1 ? (own + plan.strip - 1) / plan.strip : 1;
  plan.weights_row = round_up(reduce, kLanes);
  plan.weights_slab = plan.chunk * plan.weights_row + kLanes;
  plan.inputs_slab = (reduce * plan.strip | 1) * kLanes;
  plan.outputs_slab = (plan.chunk * plan.strip | 1) * kLanes;
  place_slabs(plan);
  return plan;
}

/// Costs for the choice of the algorithm, in multiply-adds of one register; measured.
inline constexpr std::int64_t kInputTransform = 200;   // per tile and channel
inline constexpr std::int64_t kOutputTransform = 150;  // likewise
inline constexpr std::int64_t kWeightTransform = 16;   // per pair of channels
inline constexpr std::int64_t kTransposition = 6;      // per 16 numbers

/// True if minimal filtering supports the shape.
[[gnu::always_inline]] inline bool is_winograd_shape(const Conv2dShape& s) {
  return s.kh == s.kw && (s.kh == 3 || s.kh == 5) && s.sh == 1 && s.sw == 1 && s.ph < s.kh && s.pw < s.kw;
}

/// Products per lane of one register multiply-add: two with pairs of bfloat16.
[[gnu::always_inline]] inline std::int64_t products_at_once(Precision precision) {
  return precision == Precision::kBfloat16 ? 2 : 1;
}

/// Elements of [outer][⌈channels/2⌉][plane] pairs (lanes/pairs.hpp).
[[gnu::always_inline]] inline std::int64_t paired_size(std::int64_t outer, std::int64_t channels,
                                                       std::int64_t plane) {
  return round_up(outer * ((channels + 1) / 2) * plane, kLanes);
}

/// True if minimal filtering is faster than the direct sum over the taps of the outputs.
[[gnu::always_inline]] inline bool winograd_wins(const WinogradShape& shape, Precision precision) {
  const WinogradPlan plan = plan_winograd(shape, 1);
  const std::int64_t at_once = products_at_once(precision);
  const std::int64_t pairs = shape.reduce * shape.channels;
  const std::int64_t winograd =
      plan.tiles * (at_once * (kInputTransform * plan.reduce + kOutputTransform * plan.channels) +
                    kTileProducts * pairs) +
      at_once * kWeightTransform * pairs;
  const std::int64_t direct = shape.blocks * shape.h * shape.w * shape.kernel * shape.kernel * pairs;
  return 10 * winograd < 9 * direct;
}

/// Channels per work item of the direct sum; the last item may have fewer. Not split evenly, so that full
/// groups fill full tiles.
inline constexpr std::int64_t kChannelGroup = 16;

/// True if the rows of a direct sum are so narrow that few neighbours have the same taps. The loop over the
/// channels read is then the longest, and runs innermost: order ky, kx, channel.
[[gnu::always_inline]] inline bool sums_channels_last(std::int64_t kernel, std::int64_t reduce,
                                                      std::int64_t w) {
  return kernel > 1 && w < 4 && reduce >= kLanes;
}
/// True if the direct sum over `reduce` channels packs the weights of a channel group before the loop over
/// the image. Backward data also packs if the weights of each channel read lie on a different page.
[[gnu::always_inline]] inline bool forward_packs(const Conv2dShape& s) {
  return sums_channels_last(s.kh * s.kw, s.ic, s.ow);
}
[[gnu::always_inline]] inline bool backward_data_packs(const Conv2dShape& s) {
  constexpr std::int64_t kPage = 4096 / sizeof(float);
  const std::int64_t kernel = s.kh * s.kw;
  return sums_channels_last(kernel, s.oc, s.iw) || (kernel > 1 && s.ic * kernel >= kPage);
}

/// conv2d_forward or conv2d_backward_data for a team. Parts of scratch are given by their offsets; unused
/// parts are empty.
struct ConvDataPlan {
  ConvAlgorithm algorithm;
  WinogradPlan winograd;  ///< for minimal filtering
  bool is_paired;         ///< the direct sum of pairs
  bool packs;             ///< the direct sum with packed weights
  std::int64_t reduce;    ///< for the direct sum: channels read, or pairs of channels

  std::int64_t pairs;          ///< the input as pairs: [blocks][reduce][h][w][16]
  std::int64_t weights_pairs;  ///< the weights, as pairs
  std::int64_t own, own_size;  ///< thread i has own_size elements from own + i·own_size: the parts of
                               ///< `winograd`, or the copy of weights
  std::int64_t size;           ///< total scratch
};

/// The differences between the two passes.
struct ConvDataPass {
  WinogradShape winograd;
  std::int64_t reduce;        ///< channels read
  std::int64_t plane;         ///< numbers per block of such a channel
  std::int64_t weights_size;  ///< size of the weights as pairs
  bool packs;
};

[[gnu::always_inline]] inline ConvDataPlan plan_conv_data(const Conv2dShape& s, const ConvDataPass& pass,
                                                          std::int64_t threads) {
  ConvDataPlan plan{};
  ScratchParts parts;
  if (is_winograd_shape(s) && winograd_wins(pass.winograd, s.precision)) {
    plan.algorithm = ConvAlgorithm::kMinimalFiltering;
    plan.winograd = plan_winograd(pass.winograd, threads);
    plan.own_size = plan.winograd.own_size;
  } else {
    plan.algorithm = ConvAlgorithm::kDirect;
    plan.is_paired = s.precision == Precision::kBfloat16;
    plan.packs = pass.packs;
    plan.reduce = plan.is_paired ? (pass.reduce + 1) / 2 : pass.reduce;
    if (plan.is_paired) {
      plan.pairs = parts.add(paired_size(s.blocks, pass.reduce, pass.plane));
      plan.weights_pairs = parts.add(pass.weights_size);
    }
    if (plan.packs) plan.own_size = kChannelGroup * plan.reduce * s.kh * s.kw;
  }
  plan.own = parts.add(threads * plan.own_size);
  plan.size = parts.size;
  return plan;
}

[[gnu::always_inline]] inline ConvDataPlan plan_forward(const Conv2dShape& s, std::int64_t threads) {
  return plan_conv_data(
      s,
      {.winograd =
           {.blocks = s.blocks, .reduce = s.ic, .channels = s.oc, .h = s.oh, .w = s.ow, .kernel = s.kh},
       .reduce = s.ic,
       .plane = s.ih * s.iw * kLanes,
       .weights_size = paired_size(s.oc, s.ic, s.kh * s.kw),
       .packs = forward_packs(s)},
      threads);
}
[[gnu::always_inline]] inline ConvDataPlan plan_backward_data(const Conv2dShape& s, std::int64_t threads) {
  return plan_conv_data(
      s,
      {.winograd =
           {.blocks = s.blocks, .reduce = s.oc, .channels = s.ic, .h = s.ih, .w = s.iw, .kernel = s.kh},
       .reduce = s.oc,
       .plane = s.oh * s.ow * kLanes,
       .weights_size = paired_size(1, s.oc, s.ic * s.kh * s.kw),
       .packs = backward_data_packs(s)},
      threads);
}

/// Backward weights sums over tiles and samples. The plan's `reduce` counts input channels in vectors of 16;
/// each thread has a share of them and keeps the inputs of all tiles.
[[gnu::always_inline]] inline WinogradPlan plan_winograd_weights(const Conv2dShape& s, std::int64_t threads) {
  const std::int64_t groups = (s.ic + kLanes - 1) / kLanes;
  WinogradPlan plan = plan_winograd(
      {.blocks = s.blocks, .reduce = groups * kLanes, .channels = s.oc, .h = s.oh, .w = s.ow, .kernel = s.kh},
      1);
  plan.parts = threads < groups ? threads : groups;
  const std::int64_t own = (groups + plan.parts - 1) / plan.parts * kLanes;
  plan.weights_row = own;
  plan.weights_slab = plan.chunk * own + kLanes;
  plan.inputs_slab = (own * plan.strip | 1) * kLanes;
  place_slabs(plan);
  return plan;
}
/// src with channels in the lanes, [⌈ic/16⌉][blocks][ih][iw][16 samples][16 channels].
[[gnu::always_inline]] inline std::int64_t channel_lanes_size(const Conv2dShape& s) {
  return round_up(s.ic, kLanes) * s.blocks * s.ih * s.iw * kLanes;
}
[[gnu::always_inline]] inline bool backward_weights_uses_winograd(const Conv2dShape& s) {
  if (!is_winograd_shape(s)) return false;
  const WinogradPlan plan = plan_winograd_weights(s, 1);
  const std::int64_t winograd =
      plan.tiles * (kInputTransform * plan.reduce + kOutputTransform * s.oc +
                    kTileProducts / products_at_once(s.precision) * plan.reduce * s.oc) +
      kTransposition * plan.reduce * s.blocks * s.ih * s.iw + kWeightTransform * plan.reduce * s.oc;
  const std::int64_t direct = s.blocks * s.oh * s.ow * s.kh * s.kw * s.ic * s.oc;
  return 10 * winograd < 9 * direct;
}

/// Backward weights with channels in the lanes (weights_channels.hpp).
struct ChannelWeightsPlan {
  std::int64_t row;        ///< ic in vectors of 16
  std::int64_t chunk;      ///< output channels processed at a time
  std::int64_t slab;       ///< per tap: [chunk][row] and a cache line
  std::int64_t sums_size;  ///< elements per thread
};
[[gnu::always_inline]] inline ChannelWeightsPlan plan_channel_weights(const Conv2dShape& s) {
  ChannelWeightsPlan plan{};
  plan.row = round_up(s.ic, kLanes);
  plan.chunk = s.oc < 8 ? s.oc : 8;
  plan.slab = plan.chunk * plan.row + kLanes;
  plan.sums_size = s.kh * s.kw * plan.slab;
  return plan;
}
/// One axis of a convolution.
struct AxisShape {
  std::int64_t in, out, kernel, stride, padding;
};
[[gnu::always_inline]] inline AxisShape vertical_axis(const Conv2dShape& s) {
  return {.in = s.ih, .out = s.oh, .kernel = s.kh, .stride = s.sh, .padding = s.ph};
}
[[gnu::always_inline]] inline AxisShape horizontal_axis(const Conv2dShape& s) {
  return {.in = s.iw, .out = s.ow, .kernel = s.kw, .stride = s.sw, .padding = s.pw};
}

/// Number of taps inside the image along one axis, over all outputs.
[[gnu::always_inline]] inline std::int64_t seen_taps(const AxisShape& axis) {
  std::int64_t seen = 0;
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const std::int64_t origin = o * axis.stride - axis.padding;
    const std::int64_t begin = origin < 0 ? -origin : 0;
    const std::int64_t end = axis.kernel < axis.in - origin ? axis.kernel : axis.in - origin;
    seen += end > begin ? end - begin : 0;
  }
  return seen;
}

/// The same for a pair of channels of one sample: the product over the axes, which are independent.
[[gnu::always_inline]] inline std::int64_t seen_taps(const Conv2dShape& s) {
  return seen_taps(vertical_axis(s)) * seen_taps(horizontal_axis(s));
}

/// True if channels in the lanes are faster than samples in the lanes. The latter also compute the taps on
/// padding, and add the lanes at the end.
[[gnu::always_inline]] inline bool backward_weights_uses_channels(const Conv2dShape& s) {
  constexpr std::int64_t kLaneSum = 14;  // per weight, in multiply-adds of a register; measured
  constexpr std::int64_t kScatter = 3;   // likewise; now smaller, but a new value would change results
  const std::int64_t kernel = s.kh * s.kw;
  const std::int64_t seen = seen_taps(s) * s.blocks;
  const std::int64_t by_channels =
      (seen / products_at_once(s.precision) + kScatter * kernel) * round_up(s.ic, kLanes);
  const std::int64_t by_samples = (s.blocks * s.oh * s.ow + kLaneSum) * kernel * s.ic;
  return 10 * by_channels < 9 * by_samples;
}

/// conv2d_backward_weights for a team; parts of scratch as in ConvDataPlan.
struct ConvWeightsPlan {
  ConvAlgorithm algorithm;
  WinogradPlan winograd;        ///< for minimal filtering
  ChannelWeightsPlan channels;  ///< for the matrix product
  bool is_rounded;              ///< operands in bfloat16

  std::int64_t channel_lanes;             ///< src with channels in the lanes; empty for the direct sum
  std::int64_t dst_pairs;                 ///< for the matrix product: diff_dst as pairs of samples
  std::int64_t rounded_src, rounded_dst;  ///< for the direct sum: src and diff_dst, rounded
  std::int64_t padded;                    ///< for the direct sum: src padded with zeros
  std::int64_t own, own_size;  ///< thread i has own_size elements from own + i·own_size: the parts of
                               ///< `winograd`, or sums of the matrix product
  std::int64_t size;           ///< total scratch
};

[[gnu::always_inline]] inline ConvWeightsPlan plan_backward_weights(const Conv2dShape& s,
                                                                    std::int64_t threads) {
  const std::int64_t src_size = s.blocks * s.ic * s.ih * s.iw * kLanes;
  const std::int64_t dst_size = s.blocks * s.oc * s.oh * s.ow * kLanes;
  ConvWeightsPlan plan{};
  ScratchParts parts;
  plan.is_rounded = s.precision == Precision::kBfloat16;
  if (backward_weights_uses_winograd(s)) {
    plan.algorithm = ConvAlgorithm::kMinimalFiltering;
    plan.winograd = plan_winograd_weights(s, threads);
    plan.channel_lanes = parts.add(channel_lanes_size(s));
    plan.own_size = plan.winograd.own_size;
  } else if (backward_weights_uses_channels(s)) {
    plan.algorithm = ConvAlgorithm::kMatrixProduct;
    plan.channels = plan_channel_weights(s);
    plan.channel_lanes = parts.add(channel_lanes_size(s));
    if (plan.is_rounded) plan.dst_pairs = parts.add(dst_size / 2);
    plan.own_size = plan.channels.sums_size;
  } else {
    plan.algorithm = ConvAlgorithm::kDirect;
    if (plan.is_rounded) {
      plan.rounded_src = parts.add(src_size);
      plan.rounded_dst = parts.add(dst_size);
    }
    if (is_padded(s)) plan.padded = parts.add(padded_size(s));
  }
  plan.own = parts.add(threads * plan.own_size);
  plan.size = parts.size;
  return plan;
}

}  // namespace
}  // namespace convoy::kernels
