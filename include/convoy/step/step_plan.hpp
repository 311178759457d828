#pragma once
// Who computes which micro-batch of a step on one rank, in which buffer its gradient goes, and which buffers
// are then added: the rank's part of the fixed tree (comm/tree.hpp), worked out before training so that a
// step decides and allocates nothing. The groups decide speed alone; what is added to what is the tree's.

#include <cstdint>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/core/team.hpp"

namespace convoy::step {

struct StepPlan {
  /// buffer[left] += buffer[right]; right is free afterwards.
  struct Merge {
    std::int64_t left = 0;
    std::int64_t right = 0;
  };
  /// One micro-batch: its gradient goes to `slot`, then `merges` in order.
  struct Leaf {
    std::int64_t leaf = 0;
    std::int64_t slot = 0;
    std::vector<Merge> merges;
  };
  /// A maximal node of the rank and the buffer that holds it at the end.
  struct Node {
    Range range;
    std::int64_t slot = 0;
  };

  std::int64_t leaves = 0;                ///< of the whole step, all ranks
  Range block;                            ///< this rank's
  std::vector<std::vector<Leaf>> groups;  ///< by group of threads; each goes through its own in order
  std::vector<Merge> final_merges;        ///< after all groups are done
  std::vector<Node> nodes;                ///< what the rank hands to the Reducer
  std::int64_t slots = 0;                 ///< buffers needed
};

/// Plans the leaves of `block` (of `leaves` in all) for at most `threads` groups.
[[nodiscard]] StepPlan plan_step(std::int64_t leaves, const Range& block, std::int64_t threads);

/// What share of a step's computation the threads of all ranks wait for the busiest of them, 0 to below 1:
/// micro-batches are whole, so `leaves` of them may not divide evenly over `ranks` of `threads` each.
[[nodiscard]] double idle_share(std::int64_t leaves, std::int64_t ranks, std::int64_t threads);

}  // namespace convoy::step
