#pragma once
// Plans of convolutions: the algorithm and the scratch layout of each pass. One function makes the plan of a
// pass; the planner of an instruction set reads the scratch size from it (kernels/planner.hpp), the kernels
// the offsets. Part of each instruction set; at present all sets decide by the shape alone. Internal linkage,
// see lanes/simd.hpp.

#include <cstdint>

#include "convoy/convolution/panel_plan.hpp"
#include "convoy/convolution/shapes.hpp"
#include "convoy/convolution/winograd_plan.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"

namespace convoy::kernels {
namespace {

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
  bool is_blocked;        ///< the direct sum by panels
  PanelPlan panels;       ///< for that
  std::int64_t panel_weights;
  std::int64_t reduce;  ///< for the direct sum: channels read, or pairs of channels

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
  bool is_blocked;
  PanelShape panels;
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
    plan.is_blocked = pass.is_blocked;
    if (plan.is_blocked) {
      plan.panels = plan_panels(pass.panels, plan.reduce, s.kh, s.kw);
      plan.panel_weights = parts.add(plan.panels.weights_size);
      plan.own_size = plan.panels.panel_size;
    } else if (plan.is_paired) {
      plan.pairs = parts.add(paired_size(s.blocks, pass.reduce, pass.plane));
      plan.weights_pairs = parts.add(pass.weights_size);
    }
    if (plan.packs && !plan.is_blocked) plan.own_size = kChannelGroup * plan.reduce * s.kh * s.kw;
  }
  plan.own = parts.add(threads * plan.own_size);
  plan.size = parts.size;
  return plan;
}

[[gnu::always_inline]] inline ConvDataPlan plan_forward(const Conv2dShape& shape, std::int64_t threads) {
  const Conv2dShape s = as_one_row(shape);
  return plan_conv_data(
      s,
      {.winograd =
           {.blocks = s.blocks, .reduce = s.ic, .channels = s.oc, .h = s.oh, .w = s.ow, .kernel = s.kh},
       .reduce = s.ic,
       .plane = s.ih * s.iw * kLanes,
       .weights_size = paired_size(s.oc, s.ic, s.kh * s.kw),
       .packs = forward_packs(s),
       .is_blocked = is_blocked(s, s.oc, s.ic, s.oh * s.ow),
       .panels = {.channels = s.oc, .points_h = s.oh, .points_w = s.ow, .read_h = s.sh, .read_w = s.sw}},
      threads);
}
[[gnu::always_inline]] inline ConvDataPlan plan_backward_data(const Conv2dShape& shape,
                                                              std::int64_t threads) {
  const Conv2dShape s = as_one_row(shape);
  return plan_conv_data(
      s,
      {.winograd =
           {.blocks = s.blocks, .reduce = s.oc, .channels = s.ic, .h = s.ih, .w = s.iw, .kernel = s.kh},
       .reduce = s.oc,
       .plane = s.oh * s.ow * kLanes,
       .weights_size = paired_size(1, s.oc, s.ic * s.kh * s.kw),
       .packs = backward_data_packs(s),
       .is_blocked = backward_data_is_blocked(s),
       .panels = {.channels = s.ic,
                  .points_h = (s.ih + s.sh - 1) / s.sh,
                  .points_w = (s.iw + s.sw - 1) / s.sw,
                  .read_h = 1,
                  .read_w = 1}},
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
  bool is_blocked;              ///< the matrix product from packed operands
  WeightsPanelPlan panels;      ///< for that
  bool is_rounded;              ///< operands in bfloat16

  std::int64_t channel_lanes;             ///< src with channels in the lanes; empty for the direct sum
  std::int64_t dst_pairs;                 ///< for the matrix product: diff_dst as pairs of samples
  std::int64_t rounded_src, rounded_dst;  ///< for the direct sum: src and diff_dst, rounded
  std::int64_t padded;                    ///< for the direct sum: src padded with zeros
  std::int64_t own, own_size;  ///< thread i has own_size elements from own + i·own_size: the parts of
                               ///< `winograd`, or sums of the matrix product
  std::int64_t size;           ///< total scratch
};

[[gnu::always_inline]] inline ConvWeightsPlan plan_backward_weights(const Conv2dShape& shape,
                                                                    std::int64_t threads) {
  const Conv2dShape s = as_one_row(shape);
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
  } else if (backward_weights_is_blocked(s)) {
    plan.algorithm = ConvAlgorithm::kMatrixProduct;
    plan.is_blocked = true;
    plan.panels = plan_weights_panels(s);
    plan.own_size = plan.panels.own_size;
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
