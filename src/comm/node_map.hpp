#pragma once
// Which ranks share memory, and which of them stands for whom; private to the comm room.

#include <cstdint>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/reducer.hpp"
#include "convoy/core/team.hpp"

namespace convoy::comm {

/// Nodes are numbered by their ranks, which follow each other. With NodeMemory::kPrivate every rank is a
/// node.
class NodeMap {
 public:
  /// Collective over `world`. Where the ranks of a host do not follow each other, every rank is a node as
  /// well: their leaves would be no contiguous block.
  NodeMap(const Communicator& world, NodeMemory memory);

  /// The ranks of this node.
  [[nodiscard]] const Communicator& node() const { return node_; }
  [[nodiscard]] int ranks() const { return first_.back(); }
  [[nodiscard]] int nodes() const { return static_cast<int>(first_.size()) - 1; }
  [[nodiscard]] int my_node() const { return my_node_; }
  [[nodiscard]] int node_of(int rank) const;
  [[nodiscard]] int first_rank(int node) const { return first_[static_cast<std::size_t>(node)]; }
  /// The rank of `node` that adds, sends and receives what belongs to `owner`: on the owner's node the owner.
  [[nodiscard]] int node_proxy(int node, int owner) const;
  /// The leaves that the ranks of `node` compute when there are `leaves` of them.
  [[nodiscard]] Range leaves_of(int node, std::int64_t leaves) const;

 private:
  Communicator node_;
  std::vector<int> first_;  // first rank of each node, and the number of ranks
  int my_node_ = 0;
};

}  // namespace convoy::comm
