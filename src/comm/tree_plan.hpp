#pragma once
// The additions of a TreeReducer in steps of a given number of leaves; private to the comm room.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "convoy/core/team.hpp"
#include "node_map.hpp"

namespace convoy::comm {

/// left += right, as buffer indices.
struct TreeMerge {
  std::size_t left = 0;
  std::size_t right = 0;
};

struct TreePlan {
  /// A maximal tree node of one of the job's cluster nodes.
  struct Part {
    int node = 0;
    std::size_t index = 0;  ///< in `complete`, or in the list that `node` sends
  };

  std::size_t mine = 0;         ///< number of maximal nodes of this rank
  std::vector<float*> buffers;  ///< maximal nodes of all ranks of this cluster node, in leaf order
  std::vector<TreeMerge> node_merges;
  /// Indices in `buffers` after node_merges: the maximal nodes of this cluster node.
  std::vector<std::size_t> complete;
  /// Of the whole job, in leaf order; the sum is accumulated in the first.
  std::vector<Part> parts;
  std::vector<TreeMerge> job_merges;
  std::size_t remote = 0;  ///< number of parts from other cluster nodes
};

/// `next_buffer(peer)` returns the buffer of the next maximal node of node rank `peer`; called in leaf order.
[[nodiscard]] TreePlan plan_tree(const NodeMap& map, std::int64_t leaves,
                                 const std::function<float*(int peer)>& next_buffer);

}  // namespace convoy::comm
