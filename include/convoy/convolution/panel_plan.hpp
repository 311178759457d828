#pragma once
// Plans of the sums from packed operands: panels.hpp, weights_panels.hpp.

#include <cstdint>

#include "convoy/convolution/shapes.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"

namespace convoy::kernels {
namespace {

/// Channels of a register tile of the blocked direct sum; packed weights lie in groups of them.
inline constexpr std::int64_t kQuad = 4;
/// Limits of the blocked direct sum (panels.hpp): points of a band, its channels written, products of a term
/// list, and the cache lines of a tile and of a panel. No bit depends on them.
inline constexpr std::int64_t kMostBandPoints = 60;
inline constexpr std::int64_t kMostChunk = 64;
inline constexpr std::int64_t kMostTerms = 256;
inline constexpr std::int64_t kTileLines = 384;
inline constexpr std::int64_t kPanelLines = 4096;

/// The blocked direct sum: the largest band of outputs (of one phase), and the parts of its scratch.
struct PanelPlan {
  std::int64_t rows, columns;  ///< of a band
  std::int64_t chunk;          ///< channels written at a time
  std::int64_t weights_size;   ///< packed weights, in elements or pairs
  std::int64_t panel_size;     ///< of a thread
};

/// What a pass writes, and what it reads for that.
struct PanelShape {
  std::int64_t channels, points_h, points_w;  ///< written, of the largest phase
  std::int64_t read_h, read_w;                ///< positions between neighbouring points of a phase
};

/// True if products with padding are at most a quarter more than those without.
[[gnu::always_inline]] inline bool has_little_padding(const Conv2dShape& s) {
  return 4 * s.oh * s.ow * s.kh * s.kw <= 5 * seen_taps(s);
}

/// True if the direct sum that writes `channels` of `points` points packs its operands. Products with padding
/// are computed then; with few points or channels, packing costs too much.
[[gnu::always_inline]] inline bool is_blocked(const Conv2dShape& s, std::int64_t channels,
                                              std::int64_t reduce, std::int64_t points) {
  constexpr std::int64_t kLeastChannels = 8;
  constexpr std::int64_t kLeastPoints = 64;
  return !is_dilated(s) && channels >= kLeastChannels && reduce >= 4 && points >= kLeastPoints &&
         s.kh * s.kw <= kMostTerms && has_little_padding(s);
}

/// With strides, the taps of a kernel fall into phases; few taps of small images need no packing.
[[gnu::always_inline]] inline bool backward_data_is_blocked(const Conv2dShape& s) {
  constexpr std::int64_t kSmallPlane = 1024;  // pixels
  const std::int64_t phases = s.sh * s.sw;
  if (phases > 1 && s.kh * s.kw > 1 && s.oh * s.ow <= kSmallPlane) return false;
  return is_blocked(s, s.ic, s.oc, s.ih * s.iw / phases);
}

/// `reduce` counts channels read, or pairs of them.
[[gnu::always_inline]] inline PanelPlan plan_panels(const PanelShape& s, std::int64_t reduce, std::int64_t kh,
                                                    std::int64_t kw) {
  PanelPlan plan{};
  plan.columns = s.points_w < kMostBandPoints ? s.points_w : kMostBandPoints;
  plan.rows = clamp(kMostBandPoints / plan.columns, 1, s.points_h);
  const std::int64_t chunks = (s.channels + kMostChunk - 1) / kMostChunk;
  plan.chunk = round_up((s.channels + chunks - 1) / chunks, kQuad);
  plan.weights_size = round_up(s.channels, kQuad) * reduce * kh * kw;
  const std::int64_t lines = ((plan.rows - 1) * s.read_h + kh) * ((plan.columns - 1) * s.read_w + kw) | 1;
  plan.panel_size = (lines > kPanelLines ? lines : kPanelLines) * kLanes;
  return plan;
}

/// Backward weights from packed operands (weights_panels.hpp). Outputs of a band are neighbours in the order
/// of rows; sums depend on the bands, so these constants are part of the results.
inline constexpr std::int64_t kMostWeightsPixels = 16;  // of a band
inline constexpr std::int64_t kChainBands = 8;
// No bit depends on these: pixels of a register tile's sums (L1 cache), and groups of 16 input channels at a
// time.
inline constexpr std::int64_t kTurnPixels = 4;
inline constexpr std::int64_t kMostGroups = 6;
struct WeightsPanelPlan {
  std::int64_t rows, columns;                ///< of the largest band
  std::int64_t groups, chunk;                ///< of 16 input channels, and output channels, at a time
  std::int64_t pixels, diffs, chain, total;  ///< parts of a thread's scratch
  std::int64_t own_size;
};
[[gnu::always_inline]] inline WeightsPanelPlan plan_weights_panels(const Conv2dShape& s) {
  constexpr std::int64_t kMostSums = std::int64_t{1} << 16;  // of a chain: the L2 cache
  WeightsPanelPlan plan{};
  const std::int64_t all_groups = (s.ic + kLanes - 1) / kLanes;
  const std::int64_t taps = s.kh * s.kw;
  plan.columns = s.ow < kMostWeightsPixels ? s.ow : kMostWeightsPixels;
  plan.rows = clamp(kMostWeightsPixels / plan.columns, 1, s.oh);
  const std::int64_t turns = (all_groups + kMostGroups - 1) / kMostGroups;
  plan.groups = (all_groups + turns - 1) / turns;
  const std::int64_t most = clamp(kMostSums / (plan.groups * kLanes * taps) / kQuad * kQuad, kQuad, 256);
  const std::int64_t chunks = (s.oc + most - 1) / most;
  plan.chunk = round_up((s.oc + chunks - 1) / chunks, kQuad);
  const std::int64_t in_pixels = ((plan.rows - 1) * s.sh + s.kh) * ((plan.columns - 1) * s.sw + s.kw);
  ScratchParts parts;
  plan.pixels = parts.add(in_pixels * plan.groups * kLanes * kLanes);
  plan.diffs = parts.add(plan.rows * plan.columns * plan.chunk * kLanes);
  plan.chain = parts.add(taps * plan.chunk * plan.groups * kLanes);
  plan.total = parts.add(taps * plan.chunk * plan.groups * kLanes);
  plan.own_size = parts.size;
  return plan;
}
/// True if backward weights packs its operands: images with many pixels, channels that fill the lanes.
[[gnu::always_inline]] inline bool backward_weights_is_blocked(const Conv2dShape& s) {
  constexpr std::int64_t kLeastPixels = 64;
  return !is_dilated(s) && s.oh * s.ow >= kLeastPixels && s.oc >= 8 && s.kh * s.kw <= 64 &&
         4 * round_up(s.ic, kLanes) <= 5 * s.ic && has_little_padding(s);
}

}  // namespace
}  // namespace convoy::kernels
