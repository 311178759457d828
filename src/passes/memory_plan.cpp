#include "convoy/passes/memory_plan.hpp"

#include <algorithm>
#include <numeric>

#include "convoy/core/aligned.hpp"

namespace convoy::passes {

MemoryPlan plan_memory(std::span<const BufferLifetime> lifetimes) {
  constexpr auto kLine = static_cast<std::int64_t>(kAlignment);
  const auto size_of = [&](std::size_t i) { return (lifetimes[i].bytes + kLine - 1) / kLine * kLine; };
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return size_of(a) > size_of(b); });

  MemoryPlan plan{.offsets = std::vector<std::int64_t>(lifetimes.size()), .bytes = 0};
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t lifetime : order) {
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      const bool meets = lifetimes[other].first <= lifetimes[lifetime].last &&
                         lifetimes[lifetime].first <= lifetimes[other].last;
      if (!meets) continue;
      if (offset + size_of(lifetime) <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + size_of(other));
    }
    plan.offsets[lifetime] = offset;
    plan.bytes = std::max(plan.bytes, offset + size_of(lifetime));
    const auto at =
        std::ranges::upper_bound(placed, offset, {}, [&](std::size_t other) { return plan.offsets[other]; });
    placed.insert(at, lifetime);
  }
  return plan;
}

}  // namespace convoy::passes
