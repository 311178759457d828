#include "convoy/step/step_plan.hpp"

#include <algorithm>

namespace convoy::step {
namespace {

/// Allocates buffer numbers, the lowest free number first.
class Slots {
 public:
  explicit Slots(std::int64_t first) : next_(first) {}
  std::int64_t take() {
    if (free_.empty()) return next_++;
    const auto lowest = std::min_element(free_.begin(), free_.end());
    const std::int64_t slot = *lowest;
    free_.erase(lowest);
    return slot;
  }
  void release(std::int64_t slot) { free_.push_back(slot); }
  [[nodiscard]] std::int64_t end() const { return next_; }

 private:
  std::int64_t next_;
  std::vector<std::int64_t> free_;
};

}  // namespace

StepPlan plan_step(std::int64_t leaves, const Range& block, std::int64_t threads) {
  StepPlan plan{.leaves = leaves, .block = block, .groups = {}, .final_merges = {}, .nodes = {}, .slots = 0};
  const std::int64_t groups = std::min(threads, block.size());
  std::vector<comm::TreeStack::Entry> results;
  for (std::int64_t g = 0; g < groups; ++g) {
    const Range part = split(block.size(), groups, g);
    Slots slots(plan.slots);
    comm::TreeStack stack(leaves);
    auto& work = plan.groups.emplace_back();
    for (std::int64_t leaf = block.begin + part.begin; leaf < block.begin + part.end; ++leaf) {
      StepPlan::Leaf& step =
          work.emplace_back(StepPlan::Leaf{.leaf = leaf, .slot = slots.take(), .merges = {}});
      stack.push(
          {leaf, leaf + 1}, step.slot,
          [&](std::int64_t left, std::int64_t right) {
            step.merges.push_back({left, right});
          },
          [&](std::int64_t slot) { slots.release(slot); });
    }
    plan.slots = slots.end();
    results.insert(results.end(), stack.entries().begin(), stack.entries().end());
  }
  comm::TreeStack stack(leaves);
  for (const auto& result : results) {
    stack.push(
        result.node, result.slot,
        [&](std::int64_t left, std::int64_t right) {
          plan.final_merges.push_back({left, right});
        },
        [](std::int64_t) {});
  }
  for (const auto& entry : stack.entries()) plan.nodes.push_back({entry.node, entry.slot});
  return plan;
}

double idle_share(std::int64_t leaves, std::int64_t ranks, std::int64_t threads) {
  // In units of one micro-batch on one thread, for a rank with the most micro-batches.
  const std::int64_t mine = (leaves + ranks - 1) / ranks;
  const std::int64_t groups = std::min(threads, mine);
  double longest = 0;
  for (std::int64_t g = 0; g < groups; ++g) {
    longest = std::max(longest, static_cast<double>(split(mine, groups, g).size()) /
                                    static_cast<double>(split(threads, groups, g).size()));
  }
  return 1 - static_cast<double>(leaves) / (static_cast<double>(ranks * threads) * longest);
}

}  // namespace convoy::step
