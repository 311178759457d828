#pragma once
// conv2d_forward and conv2d_backward_data: one walk over the output picture, in two directions.
//
// Forward reads the picture where the window lies, in = out·s − p + k. Backward data reads the outputs whose
// windows cover an input pixel: out·s = in + p − k, so only every s-th k counts, and the output moves back as
// k moves on. Along one axis both are: for a point, a first tap, a number of taps, the place read at the
// first tap, and constant steps from there. Taps outside the picture are left out of the sums, so no padded
// copy is needed.

#include "convoy/core/team.hpp"
#include "convoy/kernels/kernels.hpp"
#include "kernels/lanes/conv_taps.hpp"
#include "kernels/lanes/conv_winograd.hpp"
#include "kernels/lanes/elementary.hpp"
#include "kernels/lanes/pairs.hpp"

namespace convoy::kernels {
namespace {

enum class Direction { kForward, kBackward };

/// The convolution along one axis: `from` is the extent read, `to` the extent written.
struct Axis {
  Direction direction;
  std::int64_t from, to, kernel, stride, padding;

  /// Steps of the tap (in the kernel) and of the place read, from one tap to the next.
  CONVOY_INLINE std::int64_t tap_step() const { return direction == Direction::kForward ? 1 : stride; }
  CONVOY_INLINE std::int64_t read_step() const { return direction == Direction::kForward ? 1 : -1; }
  /// Distance of the points that share a phase (backward: input pixels that see the same taps), and of the
  /// places that two neighbours among them read.
  CONVOY_INLINE std::int64_t point_step() const { return direction == Direction::kForward ? 1 : stride; }
  CONVOY_INLINE std::int64_t point_read_step() const { return direction == Direction::kForward ? stride : 1; }
};

/// The taps of one point that fall on the picture.
struct TapRange {
  std::int64_t tap, count, read;
};

CONVOY_INLINE TapRange taps_of(const Axis& axis, std::int64_t point) {
  if (axis.direction == Direction::kForward) {
    const std::int64_t origin = point * axis.stride - axis.padding;
    const std::int64_t begin = max(0, -origin);
    const std::int64_t end = min(axis.kernel, axis.from - origin);
    return {begin, max(0, end - begin), origin + begin};
  }
  // k = phase + stride·j reads place last − j.
  const std::int64_t last = (point + axis.padding) / axis.stride;
  const std::int64_t phase = (point + axis.padding) % axis.stride;
  const std::int64_t begin = max(0, last - (axis.from - 1));
  const std::int64_t end = min(last + 1, ceil_div(max(0, axis.kernel - phase), axis.stride));
  return {phase + axis.stride * begin, max(0, end - begin), last - begin};
}

/// One convolution walk: `reduce` channels of from_h × from_w are read, `channels` of to_h × to_w written.
template <class Real, class Factor = Real>
struct ConvWalk {
  std::int64_t blocks, reduce, channels;
  Axis vertical, horizontal;
  std::int64_t w_channel, w_reduce;
  const Factor* in;
  const Factor* weights;
  const Real* bias;
  Update update;
  Epilogue<Real> epilogue;
  Real* out;
  Factor* packed;  ///< this thread's room for the weights of a group of channels; null: read as they lie
  std::int64_t packed_row;  ///< from one of these channels to the next
};

/// The weights of `channels` as [channel][reduce][tap] in a thread's own memory, from [reduce][channel][tap];
/// gives where channel 0 would lie.
template <class Real, class Factor>
const Factor* pack_weights(const ConvWalk<Real, Factor>& walk, const Range& channels, Factor* to) {
  constexpr std::int64_t kAhead = 12;  // pages are further apart than the processor looks by itself
  const std::int64_t kernel = walk.vertical.kernel * walk.horizontal.kernel;
  for (std::int64_t r = 0; r < walk.reduce; ++r) {
    // Whole registers are read and written, past the taps, where the next r will correct that.
    const bool is_followed =
        r + 1 < walk.reduce && r * kernel + round_up(kernel, kWidth<Factor>) <= walk.packed_row;
    for (std::int64_t c = 0; c < channels.size(); ++c) {
      const Factor* from = walk.weights + r * walk.w_reduce + (channels.begin + c) * kernel;
      Factor* at = to + c * walk.packed_row + r * kernel;
      __builtin_prefetch(from + kAhead * walk.w_reduce);
      if (is_followed) {
        for (std::int64_t k = 0; k < kernel; k += kWidth<Factor>) store(at + k, load(from + k));
      } else {
        for (std::int64_t k = 0; k < kernel; ++k) at[k] = from[k];
      }
    }
  }
  return to - channels.begin * walk.packed_row;
}

/// One row of the output for the channels [channel, channel + count) of one block.
template <class Real, class Factor>
void convolve_row(const ConvWalk<Real, Factor>& walk, std::int64_t block, Range channels, std::int64_t row) {
  const Axis& v = walk.vertical;
  const Axis& h = walk.horizontal;
  const TapRange rows = taps_of(v, row);
  const Factor* in =
      walk.in + (block * walk.reduce * v.from + (rows.count > 0 ? rows.read : 0)) * h.from * kLanes;
  const std::int64_t out_row = ((block * walk.channels + channels.begin) * v.to + row) * h.to * kLanes;
  const Factor* weights = walk.weights + channels.begin * walk.w_channel + rows.tap * h.kernel;

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
  sum.w_channel = walk.w_channel;
  sum.w_reduce = walk.w_reduce;
  sum.w_row = v.tap_step() * h.kernel;
  sum.w_tap = h.tap_step();
  sum.out_channel = v.to * h.to * kLanes;
  sum.out_point = h.point_step() * kLanes;

  const std::int64_t step = h.point_step();
  for (std::int64_t phase = 0; phase < min(step, h.to); ++phase) {
    // A run: neighbouring points of one phase that see the same taps. The interior is one, a border point
    // mostly one by itself.
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
        // Where no tap counts there is no place to read either; stay inside the picture.
        const std::int64_t read = taps.count > 0 ? taps.read + tile.begin * h.point_read_step() : 0;
        sum.taps = taps.count;
        sum.in = in + read * kLanes;
        sum.weights = weights + taps.tap;
        const std::int64_t out = out_row + (point + tile.begin * step) * kLanes;
        sum.out = walk.out + out;
        if (walk.epilogue.addend != nullptr) sum.epilogue.addend = walk.epilogue.addend + out;
        tap_sums(sum, channels.size(), tile.size());
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
  ConvWalk<Real, Factor> of_group = walk;
  std::int64_t packed_group = -1;
  for (std::int64_t item = items.begin; item < items.end; ++item) {
    const std::int64_t row = item % rows;
    const std::int64_t group = item / rows % groups;
    const std::int64_t block = item / rows / groups;
    const Range channels{group * kChannelGroup, min(walk.channels, (group + 1) * kChannelGroup)};
    if (walk.packed != nullptr && group != packed_group) {
      of_group.weights = pack_weights(walk, channels, walk.packed);
      of_group.w_reduce = walk.vertical.kernel * walk.horizontal.kernel;
      of_group.w_channel = walk.packed_row;
      packed_group = group;
    }
    convolve_row(of_group, block, channels, row);
    for (std::int64_t c = channels.begin; c < channels.end; ++c) {
      activate(walk.epilogue.activation, walk.horizontal.to * kLanes,
               walk.out + ((block * walk.channels + c) * rows + row) * walk.horizontal.to * kLanes);
    }
  }
  team.barrier();
}

/// The walk of a forward pass; of pairs, `reduce` counts pairs of channels.
template <class Real, class Factor>
ConvWalk<Real, Factor> forward_walk(const Conv2dShape& s, std::int64_t reduce, const Factor* src,
                                    const Factor* weights, const Real* bias, const Epilogue<Real>& epilogue,
                                    Real* dst) {
  const std::int64_t kernel = s.kh * s.kw;
  return {.blocks = s.blocks,
          .reduce = reduce,
          .channels = s.oc,
          .vertical = {Direction::kForward, s.ih, s.oh, s.kh, s.sh, s.ph},
          .horizontal = {Direction::kForward, s.iw, s.ow, s.kw, s.sw, s.pw},
          .w_channel = reduce * kernel,
          .w_reduce = kernel,
          .in = src,
          .weights = weights,
          .bias = bias,
          .update = Update::kAssign,
          .epilogue = epilogue,
          .out = dst,
          .packed = nullptr,
          .packed_row = 0};
}

template <class Real, class Factor>
ConvWalk<Real, Factor> backward_walk(const Conv2dShape& s, std::int64_t reduce, const Factor* diff_dst,
                                     const Factor* weights, Update update, Real* diff_src, Factor* packed) {
  const std::int64_t kernel = s.kh * s.kw;
  return {.blocks = s.blocks,
          .reduce = reduce,
          .channels = s.ic,
          .vertical = {Direction::kBackward, s.oh, s.ih, s.kh, s.sh, s.ph},
          .horizontal = {Direction::kBackward, s.ow, s.iw, s.kw, s.sw, s.pw},
          .w_channel = kernel,
          .w_reduce = s.ic * kernel,
          .in = diff_dst,
          .weights = weights,
          .bias = nullptr,
          .update = update,
          .epilogue = {},
          .out = diff_src,
          .packed = packed,
          .packed_row = packed_row(s, reduce)};
}

template <class Real>
void conv2d_forward(const Conv2dShape& s, const Real* src, const Real* weights, const Real* bias,
                    const Epilogue<Real>& epilogue, Real* dst, Real* scratch, const Team& team) {
  const std::int64_t kernel = s.kh * s.kw;
  if (forward_uses_winograd(s)) {
    return convolve_winograd<Real>(s.precision, plan_forward(s, team.size()),
                                   {s.ih, s.iw, s.oh, s.ow, s.ph, s.pw, s.ic * kernel, kernel, false, src,
                                    weights, bias, Update::kAssign, epilogue, dst},
                                   scratch, team);
  }
  if constexpr (kHasPairs<Real>) {
    if (s.precision == Precision::kBfloat16) {
      Pair* pairs = reinterpret_cast<Pair*>(scratch);
      Pair* of_weights = pairs + paired_size(s.blocks, s.ic, s.ih * s.iw * kLanes);
      pair_planes(s.blocks, s.ic, s.ih * s.iw * kLanes, src, pairs, team);
      pair_planes(s.oc, s.ic, kernel, weights, of_weights, team);
      team.barrier();
      return convolve(forward_walk(s, ceil_div(s.ic, 2), pairs, of_weights, bias, epilogue, dst), team);
    }
  }
  convolve(forward_walk(s, s.ic, src, weights, bias, epilogue, dst), team);
}

/// A thread's room for packed weights in `scratch`; null where they are read as they lie.
template <class Factor>
CONVOY_INLINE Factor* own_packed(const Conv2dShape& s, std::int64_t reduce, Factor* scratch,
                                 const Team& team) {
  return backward_data_packs(s) ? scratch + team.index() * packed_size(s, reduce) : nullptr;
}

template <class Real>
void conv2d_backward_data(const Conv2dShape& s, const Real* diff_dst, const Real* weights, Update update,
                          Real* diff_src, Real* scratch, const Team& team) {
  const std::int64_t kernel = s.kh * s.kw;
  if (backward_data_uses_winograd(s)) {
    return convolve_winograd<Real>(s.precision, plan_backward_data(s, team.size()),
                                   {s.oh,
                                    s.ow,
                                    s.ih,
                                    s.iw,
                                    s.kh - 1 - s.ph,
                                    s.kw - 1 - s.pw,
                                    kernel,
                                    s.ic * kernel,
                                    true,
                                    diff_dst,
                                    weights,
                                    nullptr,
                                    update,
                                    {},
                                    diff_src},
                                   scratch, team);
  }
  if constexpr (kHasPairs<Real>) {
    if (s.precision == Precision::kBfloat16) {
      Pair* pairs = reinterpret_cast<Pair*>(scratch);
      Pair* of_weights = pairs + paired_size(s.blocks, s.oc, s.oh * s.ow * kLanes);
      const std::int64_t reduce = ceil_div(s.oc, 2);
      Pair* packed = own_packed(s, reduce, of_weights + paired_size(1, s.oc, s.ic * kernel), team);
      pair_planes(s.blocks, s.oc, s.oh * s.ow * kLanes, diff_dst, pairs, team);
      pair_planes(1, s.oc, s.ic * kernel, weights, of_weights, team);
      team.barrier();
      return convolve(backward_walk(s, reduce, pairs, of_weights, update, diff_src, packed), team);
    }
  }
  convolve(backward_walk(s, s.oc, diff_dst, weights, update, diff_src, own_packed(s, s.oc, scratch, team)),
           team);
}

}  // namespace
}  // namespace convoy::kernels
