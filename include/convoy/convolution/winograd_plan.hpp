#pragma once
// Plans of minimal filtering (winograd.hpp), and when it is faster than a direct sum.

#include <cstdint>

#include "convoy/convolution/shapes.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"

namespace convoy::kernels {
namespace {

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
  return s.kh == s.kw && (s.kh == 3 || s.kh == 5) && s.sh == 1 && s.sw == 1 && s.ph < s.kh && s.pw < s.kw &&
         !is_dilated(s);
}

/// True if minimal filtering of one lane block is faster than the direct sum over the taps of the outputs.
/// The same for several blocks: the results of a sample do not depend on the number of samples beside it.
[[gnu::always_inline]] inline bool winograd_wins(WinogradShape shape, Precision precision) {
  shape.blocks = 1;
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

}  // namespace
}  // namespace convoy::kernels
