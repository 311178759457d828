#pragma once
// The loop of a convolution over the written image, for both directions.
//
// Forward reads the image at in = out·s − p + k·d. Backward data reads the outputs whose windows contain an
// input pixel: out·s = in + p − k·d. With g the greatest common divisor of s and d, only every s/g-th k
// counts (none, if g does not divide in + p), and the output index falls by d/g as k rises. Input pixels with
// the same taps form a phase: phase φ holds every s-th pixel from φ on.

#include <cstdint>

#include "convoy/core/operations.hpp"
#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

enum class Direction { kForward, kBackward };

CONVOY_INLINE std::int64_t greatest_common_divisor(std::int64_t a, std::int64_t b) {
  while (b != 0) {
    const std::int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/// The convolution along one axis: `from` is the extent read, `to` the extent written.
struct Axis {
  Direction direction;
  std::int64_t from, to, kernel, stride, padding, dilation;
  std::int64_t common = greatest_common_divisor(stride, dilation);

  /// Steps of the kernel index and of the position read, from one tap to the next.
  CONVOY_INLINE std::int64_t tap_step() const {
    return direction == Direction::kForward ? 1 : stride / common;
  }
  CONVOY_INLINE std::int64_t read_step() const {
    return direction == Direction::kForward ? dilation : -(dilation / common);
  }
  /// Distance of neighbouring points of one phase (backward: input pixels with the same taps), and of the
  /// positions that they read.
  CONVOY_INLINE std::int64_t point_step() const { return direction == Direction::kForward ? 1 : stride; }
  CONVOY_INLINE std::int64_t point_read_step() const { return direction == Direction::kForward ? stride : 1; }
};

/// One convolution loop: reads `reduce` channels of from_h × from_w, writes `channels` of to_h × to_w.
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
  // Not used by panels:
  bool channels_last;  ///< order of a sum: channels read innermost (plan.hpp)
  Factor* packed;      ///< this thread's buffer for the packed weights of a channel group; null: not packed
};

/// For panels, without dilation: the points of one phase, numbered from 0: point i is written at first +
/// i·step, and its tap k (ascending kernel index) reads at low + i·read_step + tap(k).
struct PhaseAxis {
  std::int64_t first, step, count;
  std::int64_t low, read_step, taps;
  std::int64_t first_kernel, kernel_step;
  bool is_falling;  ///< positions fall as the kernel index rises

  CONVOY_INLINE std::int64_t output(std::int64_t i) const { return first + i * step; }
  CONVOY_INLINE std::int64_t kernel_index(std::int64_t k) const { return first_kernel + k * kernel_step; }
  CONVOY_INLINE std::int64_t tap(std::int64_t k) const { return is_falling ? taps - 1 - k : k; }

  // Packed positions: those that the points skip are left out if there is one tap.
  CONVOY_INLINE std::int64_t pack_step() const { return taps == 1 ? read_step : 1; }
  CONVOY_INLINE std::int64_t point_step() const { return taps == 1 ? 1 : read_step; }
  /// Packed positions that `points` neighbouring points read.
  CONVOY_INLINE std::int64_t span(std::int64_t points) const { return (points - 1) * point_step() + taps; }
};

CONVOY_INLINE PhaseAxis phase_axis(const Axis& axis, std::int64_t phase) {
  if (axis.direction == Direction::kForward)
    return {.first = 0,
            .step = 1,
            .count = axis.to,
            .low = -axis.padding,
            .read_step = axis.stride,
            .taps = axis.kernel,
            .first_kernel = 0,
            .kernel_step = 1,
            .is_falling = false};
  // Kernel index first_kernel + stride·k of point 0 reads last − k.
  const std::int64_t first_kernel = (phase + axis.padding) % axis.stride;
  const std::int64_t last = (phase + axis.padding) / axis.stride;
  const std::int64_t taps = ceil_div(max(0, axis.kernel - first_kernel), axis.stride);
  return {.first = phase,
          .step = axis.stride,
          .count = ceil_div(max(0, axis.to - phase), axis.stride),
          .low = last - (taps - 1),
          .read_step = 1,
          .taps = taps,
          .first_kernel = first_kernel,
          .kernel_step = axis.stride,
          .is_falling = true};
}

struct PanelPhase {
  PhaseAxis vertical, horizontal;
};

}  // namespace
}  // namespace convoy::kernels
