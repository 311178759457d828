#pragma once
// The one layout of images inside Convoy: samples in the vector lanes.
//
// A micro-batch of N samples is stored as ⌈N/16⌉ blocks, each [C][H][W][16]: the sample is the fastest index.
// Every operation of a layer then does the same thing to 16 samples at once, whatever the channel count, the
// kernel or the stride; nothing needs a channel tail, and flattening is free. One block is one AVX-512 vector
// of floats wide, two AVX2, four SSE2; the arithmetic of an element does not depend on which.
//
// Lanes beyond N ("idle lanes") hold a copy of the block's first sample on input, so that they stay finite
// wherever a real sample does; their diff is zero, so they add nothing to any gradient.
//
// Weights are stored as the logical tensors of checkpoints ([OC][IC][KH][KW], [OUT][IN]): a weight is
// broadcast to all lanes, so it needs no layout of its own.

#include <cstdint>

namespace convoy {

/// Samples per block.
inline constexpr std::int64_t kLanes = 16;

/// Blocks that hold `samples` samples.
[[nodiscard]] constexpr std::int64_t lane_blocks(std::int64_t samples) {
  return (samples + kLanes - 1) / kLanes;
}

}  // namespace convoy
