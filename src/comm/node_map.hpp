#pragma once
// Which ranks share a node, and which rank is the proxy of an owner; private to the comm room.

#include <cstdint>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/reducer.hpp"
#include "convoy/core/team.hpp"

namespace convoy::comm {

/// Nodes are numbered in rank order; the ranks of a node are consecutive. With NodeMemory::kPrivate every
/// rank is a node.
class NodeMap {
 public:
  /// Collective over `world`. If the ranks of a node are not consecutive, every rank counts as a node:
  /// otherwise the leaves of a node would not be contiguous.
  NodeMap(const Communicator& world, NodeMemory memory);

  /// The ranks of this node.
  [[nodiscard]] const Communicator& node() const { return node_; }
  [[nodiscard]] int ranks() const { return first_.back(); }
  [[nodiscard]] int nodes() const { return static_cast<int>(first_.size()) - 1; }
  [[nodiscard]] int my_node() const { return my_node_; }
  [[nodiscard]] int node_of(int rank) const;
  [[nodiscard]] int first_rank(int node) const { return first_[static_cast<std::size_t>(node)]; }
  /// The rank of `node` that adds, sends and receives the slices of `owner`: the owner itself on its own
  /// node.
  [[nodiscard]] int node_proxy(int node, int owner) const;
  /// The leaves that the ranks of `node` compute if there are `leaves` in total.
  [[nodiscard]] Range leaves_of(int node, std::int64_t leaves) const;

 private:
  Communicator node_;
  std::vector<int> first_;  // first rank of each node, then the number of ranks
  int my_node_ = 0;
};

}  // namespace convoy::comm
