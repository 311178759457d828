#pragma once
// Where buffers that are not all needed at the same time lie in one piece of memory.

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::nn {

/// A buffer and when it is needed; time counts the calls of a pass forward and back.
struct BufferLifetime {
  std::int64_t bytes = 0;
  int first = 0;  ///< the call that first writes it
  int last = 0;   ///< the last call that uses it
};

struct MemoryPlan {
  std::vector<std::int64_t> offsets;  ///< of each lifetime, bytes, multiples of a cache line
  std::int64_t bytes = 0;             ///< in all
};

/// Places lifetimes so that no two that live at the same time overlap. The largest are placed first, each at
/// the lowest place where it fits (greedy by size, which comes near the lower bound for networks).
[[nodiscard]] MemoryPlan plan_memory(std::span<const BufferLifetime> lifetimes);

}  // namespace convoy::nn
