#pragma once
// The only layout of images inside Convoy: samples in the vector lanes.
//
// A micro-batch of N samples is stored as ⌈N/16⌉ blocks, each [C][H][W][16]: the sample is the fastest index.
// Every operation of a layer then treats 16 samples alike, for any channel count, kernel or stride; no
// operation needs a channel tail, and flattening is free. A block is as wide as one AVX-512 vector of floats,
// two AVX2 vectors, or four SSE2 vectors; the arithmetic of an element does not depend on the vector width.
//
// Lanes beyond N ("idle lanes") hold a copy of the block's first sample on input, so their values are finite
// whenever that sample's are. Their diff is zero, so they add nothing to any gradient.
//
// Weights are stored as the logical tensors of checkpoints ([OC][IC][KH][KW], [OUT][IN]): a weight is
// broadcast to all lanes, so weights need no other layout.

#include <cstdint>

namespace convoy {

/// Samples per block.
inline constexpr std::int64_t kLanes = 16;

/// Number of blocks that hold `samples` samples.
[[nodiscard]] constexpr std::int64_t lane_blocks(std::int64_t samples) {
  return (samples + kLanes - 1) / kLanes;
}

/// Copies `size` numbers of each of `samples` samples from lane blocks, [B][size][16], to [samples][size].
void copy_from_lanes(const float* blocks, std::int64_t size, std::int64_t samples, float* to);

}  // namespace convoy
