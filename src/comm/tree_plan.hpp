#pragma once
// What a TreeReducer adds to what, in steps of one number of leaves; private to the comm room.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "convoy/core/team.hpp"
#include "node_map.hpp"

namespace convoy::comm {

/// left += right, of buffers known by their index.
struct TreeMerge {
  std::size_t left = 0;
  std::size_t right = 0;
};

struct TreePlan {
  /// A maximal node of one of the job's nodes.
  struct Part {
    int node = 0;
    std::size_t index = 0;  ///< in `complete`, or among what that node sends
  };

  std::size_t mine = 0;         ///< maximal nodes of this rank
  std::vector<float*> buffers;  ///< those of all of this node's ranks, in leaf order
  std::vector<TreeMerge> node_merges;
  std::vector<std::size_t> complete;  ///< of `buffers`: what is left, the node's own maximal nodes
  std::vector<Part> parts;            ///< of the job, in leaf order; the first becomes the sum
  std::vector<TreeMerge> job_merges;
  std::size_t remote = 0;  ///< parts of other nodes
};

/// `next_buffer(peer)` is where rank `peer` of this node has its next maximal node; called in leaf order.
[[nodiscard]] TreePlan plan_tree(const NodeMap& map, std::int64_t leaves,
                                 const std::function<float*(int peer)>& next_buffer);

}  // namespace convoy::comm
