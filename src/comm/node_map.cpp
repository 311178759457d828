#include "node_map.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "convoy/comm/tree.hpp"

namespace convoy::comm {

NodeMap::NodeMap(const Communicator& world, NodeMemory memory) : node_(Communicator::self()) {
  std::vector<int> first_of_node(static_cast<std::size_t>(world.size()));
  for (int rank = 0; rank < world.size(); ++rank) first_of_node[static_cast<std::size_t>(rank)] = rank;
  if (memory == NodeMemory::kShared && world.size() > 1) {
    Communicator node = world.node();
    const int first = node.broadcast_value(world.rank());
    std::vector<int> all(first_of_node.size());
    world.all_gather_equal<int>(std::span<const int>(&first, 1), all);
    if (std::is_sorted(all.begin(), all.end())) {
      first_of_node = std::move(all);
      node_ = std::move(node);
    }
  }
  for (int rank = 0; rank < world.size(); ++rank)
    if (first_of_node[static_cast<std::size_t>(rank)] == rank) first_.push_back(rank);
  first_.push_back(world.size());
  my_node_ = node_of(world.rank());
}

int NodeMap::node_of(int rank) const {
  return static_cast<int>(std::upper_bound(first_.begin(), first_.end(), rank) - first_.begin()) - 1;
}

int NodeMap::node_proxy(int node, int owner) const {
  const int owners_node = node_of(owner);
  if (node == owners_node) return owner;
  return first_rank(node) + (owner - first_rank(owners_node)) % (first_rank(node + 1) - first_rank(node));
}

Range NodeMap::leaves_of(int node, std::int64_t leaves) const {
  return {leaf_block(leaves, ranks(), first_rank(node)).begin,
          leaf_block(leaves, ranks(), first_rank(node + 1) - 1).end};
}

}  // namespace convoy::comm
