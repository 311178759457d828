#pragma once
// conv2d_forward and conv2d_backward_data: the same loop over the written image, for both directions.
//
// Along one axis both directions (walk.hpp) have, for each point, a first tap, a number of taps, a position
// read at the first tap, and constant steps. Taps outside the image are skipped, so no padded copy is needed.

#include "convoy/convolution/panels.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/convolution/walk.hpp"
#include "convoy/convolution/winograd_data.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/pairs.hpp"
#include "convoy/lanes/transpose.hpp"

namespace convoy::kernels {
namespace {

/// The taps of one point that lie inside the image.
struct TapRange {
  std::int64_t tap, count, read;
};

/// Backward data: the first kernel index k at which the window of an output has `point`, whether that output
/// exists or not; the kernel's extent if there is none.
CONVOY_INLINE std::int64_t first_tap(const Axis& axis, std::int64_t point) {
  const std::int64_t position = point + axis.padding;
  if (axis.dilation == 1) return position % axis.stride;
  if (position % axis.common != 0) return axis.kernel;
  for (std::int64_t k = 0; k < axis.stride; ++k)
    if ((position - k * axis.dilation) % axis.stride == 0) return k;
  return axis.kernel;
}

CONVOY_INLINE TapRange taps_of(const Axis& axis, std::int64_t point) {
  if (axis.direction == Direction::kForward) {
    const std::int64_t origin = point * axis.stride - axis.padding;
    const std::int64_t begin = ceil_div(max(0, -origin), axis.dilation);
    const std::int64_t end = min(axis.kernel, ceil_div(max(0, axis.from - origin), axis.dilation));
    return {begin, max(0, end - begin), origin + begin * axis.dilation};
  }
  // k = first + tap_step·j reads position last − fall·j.
  const std::int64_t fall = -axis.read_step();
  const std::int64_t first = first_tap(axis, point);
  const std::int64_t last = (point + axis.padding - first * axis.dilation) / axis.stride;
  const std::int64_t seen = point + axis.padding >= first * axis.dilation ? last / fall + 1 : 0;
  const std::int64_t begin = ceil_div(max(0, last - (axis.from - 1)), fall);
  const std::int64_t end = min(seen, ceil_div(max(0, axis.kernel - first), axis.tap_step()));
  return {first + axis.tap_step() * begin, max(0, end - begin), last - fall * begin};
}

/// Addresses of the weights of a channel group: its channel c, `reduce` channel r and tap k are at
/// first[c·channel + r·reduce + k·tap].
template <class Factor>
struct GroupWeights {
  const Factor* first;
  std::int64_t channel, reduce, tap;
};

/// Packs the weights of `channels` to [reduce][tap][kChannelGroup], or with the taps outermost.
template <class Real, class Factor>
GroupWeights<Factor> pack_weights(const ConvWalk<Real, Factor>& walk, const Range& channels) {
  constexpr std::int64_t kAhead = 12;  // the hardware prefetcher does not cross pages
  const std::int64_t kernel = walk.vertical.kernel * walk.horizontal.kernel;
  GroupWeights<Factor> packed{walk.packed, 1, kChannelGroup * kernel, kChannelGroup};
  if (walk.channels_last) {
    packed.reduce = kChannelGroup;
    packed.tap = kChannelGroup * walk.reduce;
  }
  const Factor* end = walk.weights + walk.channels * walk.reduce * kernel;
  // Contiguous weights of one channel: the taps of all channels read, or of one channel read.
  const std::int64_t run = walk.w_reduce == kernel ? walk.reduce * kernel : kernel;
  std::int64_t r = 0;
  std::int64_t tap = 0;
  for (std::int64_t first = 0; first < walk.reduce * kernel; first += run) {
    const Factor* from = walk.weights + channels.begin * walk.w_channel + first / kernel * walk.w_reduce;
    for (std::int64_t j = 0; j < run; j += kLanes, from += kLanes) {
      alignas(64) Factor square[kLanes * kLanes];
      if (from + (channels.size() - 1) * walk.w_channel + kLanes <= end) {
        transpose_16x16(from, walk.w_channel, channels.size(), square, kLanes);
      } else {
        for (std::int64_t i = 0; i < min(kLanes, run - j); ++i)
          for (std::int64_t c = 0; c < channels.size(); ++c)
            square[i * kLanes + c] = from[c * walk.w_channel + i];
      }
      if (run == kernel) {
        for (std::int64_t c = 0; c < channels.size(); ++c)
          __builtin_prefetch(from + kAhead * walk.w_reduce + c * walk.w_channel);
      }
      for (std::int64_t i = 0; i < min(kLanes, run - j); ++i) {
        Factor* to = walk.packed + r * packed.reduce + tap * packed.tap;
        for (std::int64_t part = 0; part < kLanes; part += kWidth<Factor>)
          store(to + part, load(square + i * kLanes + part));
        if (++tap == kernel) {
          tap = 0;
          ++r;
        }
      }
    }
  }
  return packed;
}

/// The same sums in the order row, tap, channel read.
template <class Real, class Factor>
TapSum<Real, Factor> with_channels_last(const TapSum<Real, Factor>& sum) {
  TapSum<Real, Factor> turned = sum;
  turned.reduce = sum.rows;
  turned.in_reduce = sum.in_row;
  turned.w_reduce = sum.w_row;
  turned.rows = sum.taps;
  turned.in_row = sum.in_tap;
  turned.w_row = sum.w_tap;
  turned.taps = sum.reduce;
  turned.in_tap = sum.in_reduce;
  turned.w_tap = sum.w_reduce;
  return turned;
}

/// One row of the output for the channels [channel, channel + count) of one block.
template <class Real, class Factor>
void convolve_row(const ConvWalk<Real, Factor>& walk, const GroupWeights<Factor>& weights, std::int64_t block,
                  const Range& channels, std::int64_t row) {
  const Axis& v = walk.vertical;
  const Axis& h = walk.horizontal;
  const TapRange rows = taps_of(v, row);
  const Factor* in =
      walk.in + (block * walk.reduce * v.from + (rows.count > 0 ? rows.read : 0)) * h.from * kLanes;
  const std::int64_t out_row = ((block * walk.channels + channels.begin) * v.to + row) * h.to * kLanes;

  TapSum<Real, Factor> sum{};
  sum.bias = walk.bias != nullptr ? walk.bias + channels.begin : nullptr;
  sum.goes_on = walk.update == Update::kAdd;
  sum.epilogue = walk.epilogue;
  sum.reduce = walk.reduce;
  sum.rows = rows.count;
  sum.in_reduce = v.from * h.from * kLanes;
  sum.in_row = v.read_step() * h.from * kLanes;
  sum.in_tap = h.read_step() * kLanes;
  sum.in_point = h.point_read_step() * kLanes;
  sum.w_channel = weights.channel;
  sum.w_reduce = weights.reduce;
  sum.w_row = v.tap_step() * h.kernel * weights.tap;
  sum.w_tap = h.tap_step() * weights.tap;
  sum.out_channel = v.to * h.to * kLanes;
  sum.out_point = h.point_step() * kLanes;

  const std::int64_t step = h.point_step();
  for (std::int64_t phase = 0; phase < min(step, h.to); ++phase) {
    // A run: neighbouring points of one phase with the same taps. The interior is one run; a border point is
    // usually a run of one.
    std::int64_t point = phase;
    while (point < h.to) {
      const TapRange taps = taps_of(h, point);
      std::int64_t length = 1;
      while (point + length * step < h.to) {
        const TapRange next = taps_of(h, point + length * step);
        if (next.tap != taps.tap || next.count != taps.count) break;
        ++length;
      }
      const std::int64_t tiles = ceil_div(length, kMaxPoints);
      for (std::int64_t i = 0; i < tiles; ++i) {
        const Range tile = split(length, tiles, i);
        // Without taps nothing is read, but the address must stay inside the image.
        const std::int64_t read = taps.count > 0 ? taps.read + tile.begin * h.point_read_step() : 0;
        sum.taps = taps.count;
        sum.in = in + read * kLanes;
        sum.weights = weights.first + (rows.tap * h.kernel + taps.tap) * weights.tap;
        const std::int64_t out = out_row + (point + tile.begin * step) * kLanes;
        sum.out = walk.out + out;
        if (walk.epilogue.addend != nullptr) sum.epilogue.addend = walk.epilogue.addend + out;
        tap_sums(walk.channels_last ? with_channels_last(sum) : sum, channels.size(), tile.size());
      }
      point += length * step;
    }
  }
}

template <class Real, class Factor>
void convolve(const ConvWalk<Real, Factor>& walk, const Team& team) {
  const std::int64_t groups = ceil_div(walk.channels, kChannelGroup);
  const std::int64_t rows = walk.vertical.to;
  const Range items = team.share(walk.blocks * groups * rows);
  GroupWeights<Factor> weights{nullptr, walk.w_channel, walk.w_reduce, 1};
  std::int64_t packed_group = -1;
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t row = item % rows;
    const std::int64_t group = item / rows % groups;
    const std::int64_t block = item / rows / groups;
    const Range channels{group * kChannelGroup, min(walk.channels, (group + 1) * kChannelGroup)};
    if (walk.packed == nullptr) {
      weights.first = walk.weights + channels.begin * walk.w_channel;
    } else if (group != packed_group) {
      weights = pack_weights(walk, channels);
      packed_group = group;
    }
    convolve_row(walk, weights, block, channels, row);
    with_activation<Real>(walk.epilogue.activation, [&](const auto& function) {
      for (std::int64_t c = channels.begin; c < channels.end; ++c) {
        function.in_memory(
            walk.horizontal.to * kLanes,
            walk.out + ((block * walk.channels + c) * rows + row) * walk.horizontal.to * kLanes);
      }
    });
  }
  team.barrier();
}

/// The loop of a forward pass; for pairs, `reduce` counts pairs of channels.
template <class Real, class Factor>
ConvWalk<Real, Factor> forward_walk(const Conv2dShape& s, std::int64_t reduce, const Factor* src,
                                    const Factor* weights, const Real* bias, const Epilogue<Real>& epilogue,
                                    Real* dst, Factor* packed) {
  const std::int64_t kernel = s.kh * s.kw;
  return {.blocks = s.blocks,
          .reduce = reduce,
          .channels = s.oc,
          .vertical = {Direction::kForward, s.ih, s.oh, s.kh, s.sh, s.ph, s.dh},
          .horizontal = {Direction::kForward, s.iw, s.ow, s.kw, s.sw, s.pw, s.dw},
          .w_channel = reduce * kernel,
          .w_reduce = kernel,
          .in = src,
          .weights = weights,
          .bias = bias,
          .update = Update::kAssign,
          .epilogue = epilogue,
          .out = dst,
          .channels_last = sums_channels_last(kernel, s.ic, s.ow),
          .packed = packed};
}

template <class Real, class Factor>
ConvWalk<Real, Factor> backward_walk(const Conv2dShape& s, std::int64_t reduce, const Factor* diff_dst,
                                     const Factor* weights, Update update, Real* diff_src, Factor* packed) {
  const std::int64_t kernel = s.kh * s.kw;
  return {.blocks = s.blocks,
          .reduce = reduce,
          .channels = s.ic,
          .vertical = {Direction::kBackward, s.oh, s.ih, s.kh, s.sh, s.ph, s.dh},
          .horizontal = {Direction::kBackward, s.ow, s.iw, s.kw, s.sw, s.pw, s.dw},
          .w_channel = kernel,
          .w_reduce = s.ic * kernel,
          .in = diff_dst,
          .weights = weights,
          .bias = nullptr,
          .update = update,
          .epilogue = {},
          .out = diff_src,
          .channels_last = sums_channels_last(kernel, s.oc, s.iw),
          .packed = packed};
}

template <class Real>
void convolve_blocked(const Conv2dShape& s, const ConvDataPlan& plan, const ConvWalk<Real>& walk,
                      Real* scratch, const Team& team) {
  const PanelScratch<Real> parts{scratch + plan.panel_weights,
                                 scratch + plan.own + team.index() * plan.own_size};
  if constexpr (kHasPairs<Real>) {
    if (s.precision == Precision::kBfloat16)
      return convolve_panels<Real, Pair>(walk, plan.panels, parts, team);
  }
  convolve_panels<Real, Real>(walk, plan.panels, parts, team);
}

template <class Real>
void conv2d_forward(const Conv2dShape& shape, const Real* src, const Real* weights, const Real* bias,
                    const Epilogue<Real>& epilogue, Real* dst, Real* scratch, const Team& team) {
  const Conv2dShape s = as_one_row(as_computed<Real>(shape));
  const std::int64_t kernel = s.kh * s.kw;
  const ConvDataPlan plan = plan_forward(s, team.size());
  Real* own = scratch + plan.own + team.index() * plan.own_size;
  if (plan.algorithm == ConvAlgorithm::kMinimalFiltering) {
    return convolve_winograd<Real>(s.precision, plan.winograd,
                                   {.from_h = s.ih,
                                    .from_w = s.iw,
                                    .to_h = s.oh,
                                    .to_w = s.ow,
                                    .ph = s.ph,
                                    .pw = s.pw,
                                    .w_channel = s.ic * kernel,
                                    .w_reduce = kernel,
                                    .is_rotated = false,
                                    .in = src,
                                    .weights = weights,
                                    .bias = bias,
                                    .update = Update::kAssign,
                                    .epilogue = epilogue,
                                    .out = dst},
                                   own, team);
  }
  if (plan.is_blocked)
    return convolve_blocked(s, plan,
                            forward_walk<Real, Real>(s, s.ic, src, weights, bias, epilogue, dst, nullptr),
                            scratch, team);
  if constexpr (kHasPairs<Real>) {
    if (plan.is_paired) {
      auto* pairs = reinterpret_cast<Pair*>(scratch + plan.pairs);
      auto* of_weights = reinterpret_cast<Pair*>(scratch + plan.weights_pairs);
      auto* packed = plan.packs ? reinterpret_cast<Pair*>(own) : nullptr;
      pair_planes(s.blocks, s.ic, s.ih * s.iw * kLanes, src, pairs, team);
      pair_planes(s.oc, s.ic, kernel, weights, of_weights, team);
      team.barrier();
      return convolve(forward_walk(s, plan.reduce, pairs, of_weights, bias, epilogue, dst, packed), team);
    }
  }
  Real* packed = plan.packs ? own : nullptr;
  convolve(forward_walk(s, plan.reduce, src, weights, bias, epilogue, dst, packed), team);
}

template <class Real>
void conv2d_backward_data(const Conv2dShape& shape, const Real* diff_dst, const Real* weights, Update update,
                          Real* diff_src, Real* scratch, const Team& team) {
  const Conv2dShape s = as_one_row(as_computed<Real>(shape));
  const std::int64_t kernel = s.kh * s.kw;
  const ConvDataPlan plan = plan_backward_data(s, team.size());
  Real* own = scratch + plan.own + team.index() * plan.own_size;
  if (plan.algorithm == ConvAlgorithm::kMinimalFiltering) {
    return convolve_winograd<Real>(s.precision, plan.winograd,
                                   {.from_h = s.oh,
                                    .from_w = s.ow,
                                    .to_h = s.ih,
                                    .to_w = s.iw,
                                    .ph = s.kh - 1 - s.ph,
                                    .pw = s.kw - 1 - s.pw,
                                    .w_channel = kernel,
                                    .w_reduce = s.ic * kernel,
                                    .is_rotated = true,
                                    .in = diff_dst,
                                    .weights = weights,
                                    .bias = nullptr,
                                    .update = update,
                                    .epilogue = {},
                                    .out = diff_src},
                                   own, team);
  }
  if (plan.is_blocked)
    return convolve_blocked(s, plan,
                            backward_walk<Real, Real>(s, s.oc, diff_dst, weights, update, diff_src, nullptr),
                            scratch, team);
  if constexpr (kHasPairs<Real>) {
    if (plan.is_paired) {
      auto* pairs = reinterpret_cast<Pair*>(scratch + plan.pairs);
      auto* of_weights = reinterpret_cast<Pair*>(scratch + plan.weights_pairs);
      auto* packed = plan.packs ? reinterpret_cast<Pair*>(own) : nullptr;
      pair_planes(s.blocks, s.oc, s.oh * s.ow * kLanes, diff_dst, pairs, team);
      pair_planes(1, s.oc, s.ic * kernel, weights, of_weights, team);
      team.barrier();
      return convolve(backward_walk(s, plan.reduce, pairs, of_weights, update, diff_src, packed), team);
    }
  }
  Real* packed = plan.packs ? own : nullptr;
  convolve(backward_walk(s, plan.reduce, diff_dst, weights, update, diff_src, packed), team);
}

}  // namespace
}  // namespace convoy::kernels
