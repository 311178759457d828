#pragma once
// Places buffers with different lifetimes in one block of memory.

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::passes {

/// A buffer and its lifetime; the unit of time is a call of the forward and backward pass.
struct BufferLifetime {
  std::int64_t bytes = 0;
  int first = 0;  ///< the call that first writes it
  int last = 0;   ///< the last call that uses it
};

struct MemoryPlan {
  std::vector<std::int64_t> offsets;  ///< by lifetime, in bytes, multiples of a cache line
  std::int64_t bytes = 0;             ///< total
};

/// Places the buffers so that buffers alive at the same time do not overlap. The largest is placed first,
/// each at the lowest free offset (greedy by size; close to the lower bound for networks).
[[nodiscard]] MemoryPlan plan_memory(std::span<const BufferLifetime> lifetimes);

}  // namespace convoy::passes
