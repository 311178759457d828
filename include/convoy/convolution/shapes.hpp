#pragma once
// Counts that plans of convolutions are made from. Part of each instruction set; internal linkage, see
// lanes/simd.hpp.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"

namespace convoy::kernels {
namespace {

[[gnu::always_inline]] inline bool is_padded(const Conv2dShape& s) {
  return s.ph > 0 || s.pw > 0;
}
[[gnu::always_inline]] inline bool is_dilated(const Conv2dShape& s) {
  return s.dh > 1 || s.dw > 1;
}

/// 1x1 without stride and padding: rows need no borders, so an image is one row.
[[gnu::always_inline]] inline bool is_pointwise(const Conv2dShape& s) {
  return s.kh == 1 && s.kw == 1 && s.sh == 1 && s.sw == 1 && !is_padded(s);
}
[[gnu::always_inline]] inline Conv2dShape as_one_row(const Conv2dShape& s) {
  Conv2dShape row = s;
  if (!is_pointwise(s)) return row;
  row.ih = row.oh = 1;
  row.iw = row.ow = s.ih * s.iw;
  return row;
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

/// One axis of a convolution.
struct AxisShape {
  std::int64_t in, out, kernel, stride, padding, dilation;
};
[[gnu::always_inline]] inline AxisShape vertical_axis(const Conv2dShape& s) {
  return {.in = s.ih, .out = s.oh, .kernel = s.kh, .stride = s.sh, .padding = s.ph, .dilation = s.dh};
}
[[gnu::always_inline]] inline AxisShape horizontal_axis(const Conv2dShape& s) {
  return {.in = s.iw, .out = s.ow, .kernel = s.kw, .stride = s.sw, .padding = s.pw, .dilation = s.dw};
}

/// Number of taps inside the image along one axis, of the outputs [begin, end).
[[gnu::always_inline]] inline std::int64_t seen_taps_of(const AxisShape& axis, std::int64_t begin_output,
                                                        std::int64_t end_output) {
  std::int64_t seen = 0;
  for (std::int64_t o = begin_output; o < end_output; ++o) {
    const std::int64_t origin = o * axis.stride - axis.padding;
    const std::int64_t begin = origin < 0 ? (-origin + axis.dilation - 1) / axis.dilation : 0;
    const std::int64_t inside = axis.in > origin ? (axis.in - origin + axis.dilation - 1) / axis.dilation : 0;
    const std::int64_t end = axis.kernel < inside ? axis.kernel : inside;
    seen += end > begin ? end - begin : 0;
  }
  return seen;
}

/// The same of all outputs: all taps of those in the middle, counted for those at the edges.
[[gnu::always_inline]] inline std::int64_t seen_taps(const AxisShape& axis) {
  const std::int64_t last = axis.in - (axis.kernel - 1) * axis.dilation - 1 +
                            axis.padding;  // origin of the last whole window, + padding
  const std::int64_t begin = clamp((axis.padding + axis.stride - 1) / axis.stride, 0, axis.out);
  const std::int64_t end = clamp(last < 0 ? 0 : last / axis.stride + 1, begin, axis.out);
  return seen_taps_of(axis, 0, begin) + (end - begin) * axis.kernel + seen_taps_of(axis, end, axis.out);
}

/// The same for a pair of channels of one sample: the product over the axes, which are independent.
[[gnu::always_inline]] inline std::int64_t seen_taps(const Conv2dShape& s) {
  return seen_taps(vertical_axis(s)) * seen_taps(horizontal_axis(s));
}

/// False if plans of this shape could exceed 64 bits. No machine could compute it.
[[gnu::always_inline]] inline bool is_countable(const Conv2dShape& s) {
  constexpr double kMost = 3e16;  // plans multiply counts by constants up to 200
  const double pixels = static_cast<double>(s.oh) * static_cast<double>(s.ow) +
                        static_cast<double>(s.ih + 2 * s.ph) * static_cast<double>(s.iw + 2 * s.pw);
  return static_cast<double>(s.blocks * kLanes) * static_cast<double>(s.ic + kLanes) *
             static_cast<double>(s.oc + kLanes) * static_cast<double>(s.kh * s.kw) * pixels <
         kMost;
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

}  // namespace
}  // namespace convoy::kernels
