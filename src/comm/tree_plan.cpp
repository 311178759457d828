#include "tree_plan.hpp"

#include <cassert>

#include "convoy/comm/tree.hpp"

namespace convoy::comm {
namespace {

auto adds_to(std::vector<TreeMerge>& merges) {
  return [&merges](std::int64_t left, std::int64_t right) {
    merges.push_back({static_cast<std::size_t>(left), static_cast<std::size_t>(right)});
  };
}

void frees_nothing(std::int64_t) {}

}  // namespace

TreePlan plan_tree(const NodeMap& map, std::int64_t leaves,
                   const std::function<float*(int peer)>& next_buffer) {
  TreePlan plan;
  TreeStack of_node(leaves);
  for (int peer = 0; peer < map.node().size(); ++peer) {
    const int rank = map.first_rank(map.my_node()) + peer;
    for (const Range& node : maximal_nodes(leaf_block(leaves, map.ranks(), rank), leaves)) {
      plan.buffers.push_back(next_buffer(peer));
      of_node.push(node, static_cast<std::int64_t>(plan.buffers.size()) - 1, adds_to(plan.node_merges),
                   frees_nothing);
      if (peer == map.node().rank()) ++plan.mine;
    }
  }
  for (const TreeStack::Entry& entry : of_node.entries())
    plan.complete.push_back(static_cast<std::size_t>(entry.slot));

  // Job level: the maximal nodes of every node follow from the node's number.
  TreeStack of_job(leaves);
  for (int node = 0; node < map.nodes(); ++node) {
    std::size_t index = 0;
    for (const Range& each : maximal_nodes(map.leaves_of(node, leaves), leaves)) {
      plan.parts.push_back({node, index++});
      of_job.push(each, static_cast<std::int64_t>(plan.parts.size()) - 1, adds_to(plan.job_merges),
                  frees_nothing);
      if (node != map.my_node()) ++plan.remote;
    }
    assert(node != map.my_node() || index == plan.complete.size());
  }
  assert(of_job.entries().size() == 1 && of_job.entries().front().slot == 0);
  return plan;
}

}  // namespace convoy::comm
