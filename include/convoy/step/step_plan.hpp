#pragma once
// A rank's part of a step, planned before training so that a step decides and allocates nothing: which group
// computes which micro-batch, the buffer of each gradient, and the additions along the fixed tree
// (comm/tree.hpp). Groups affect speed only; the tree fixes the operands of each addition.

#include <cstdint>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/core/team.hpp"

namespace convoy::step {

struct StepPlan {
  /// buffer[left] += buffer[right]; afterwards, buffer `right` is free.
  struct Merge {
    std::int64_t left = 0;
    std::int64_t right = 0;
  };
  /// One micro-batch: write its gradient to `slot`, then do `merges` in order.
  struct Leaf {
    std::int64_t leaf = 0;
    std::int64_t slot = 0;
    std::vector<Merge> merges;
  };
  /// A maximal tree node of this rank and the buffer that holds it after the step.
  struct Node {
    Range range;
    std::int64_t slot = 0;
  };

  std::int64_t leaves = 0;                ///< micro-batches of the whole step, all ranks
  Range block;                            ///< leaves of this rank
  std::vector<std::vector<Leaf>> groups;  ///< by group of threads; each processes its leaves in order
  std::vector<Merge> final_merges;        ///< after all groups finish
  std::vector<Node> nodes;                ///< input of the Reducer
  std::int64_t slots = 0;                 ///< number of buffers needed
};

/// Plans the leaves of `block` (of `leaves` in total) for at most `threads` groups.
[[nodiscard]] StepPlan plan_step(std::int64_t leaves, const Range& block, std::int64_t threads);

/// Share of a step's computation time in which threads wait for the busiest thread, mean over all ranks'
/// threads, in [0, 1). Micro-batches are not split, so `leaves` may not divide evenly over `ranks` ·
/// `threads` threads.
[[nodiscard]] double idle_share(std::int64_t leaves, std::int64_t ranks, std::int64_t threads);

}  // namespace convoy::step
