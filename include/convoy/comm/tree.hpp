#pragma once
// The fixed binary tree that defines the order of additions of all sums over micro-batches (src/CONTRACT.md,
// "The same bits").
//
// Leaves are micro-batch numbers 0 … V−1. Node [a,b) splits at a + the largest power of two below b − a. Its
// value is left + right, rounded once. Pure functions; no communication.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The leaves that rank `rank` of `ranks` computes if there are `leaves` in total.
[[nodiscard]] inline Range leaf_block(std::int64_t leaves, int ranks, int rank) {
  return split(leaves, ranks, rank);
}

/// The split position of node [node.begin, node.end). Precondition: two or more leaves.
[[nodiscard]] std::int64_t split_point(const Range& node);

/// True if `left` and `right` are the two children of one node of the tree over [0, leaves).
[[nodiscard]] bool are_siblings(const Range& left, const Range& right, std::int64_t leaves);

/// The smallest set of nodes of the tree over [0, leaves) that covers `block`, in order. A rank sends these
/// nodes.
[[nodiscard]] std::vector<Range> maximal_nodes(const Range& block, std::int64_t leaves);

/// f: the partial sums (complete nodes) of a step's gradients that a node of the cluster (or a rank) sends:
/// the number of times that its bytes are transferred to the owners. The node with the most partial sums
/// determines the time.
struct PartialSums {
  double mean = 1;
  std::int64_t most = 1;
};

/// The most entries that a TreeStack holds at a time while the leaves of `block` are pushed in order.
[[nodiscard]] std::int64_t stack_depth(const Range& block, std::int64_t leaves);

/// Adds nodes that arrive in order (leaves or complete nodes) along the tree: if the top two entries are
/// siblings, their parent replaces them. At the end, the entries are the maximal nodes of the pushed leaves;
/// only the root if all leaves were pushed.
class TreeStack {
 public:
  struct Entry {
    Range node;
    std::int64_t slot = 0;  ///< index of the caller's buffer that holds the value
  };

  explicit TreeStack(std::int64_t leaves) : leaves_(leaves) {}

  /// `slot` now holds the value of `node`. `combine(left, right)` must compute buffer[left] += buffer[right];
  /// then the slot of `right` is free and passed to `release`.
  void push(const Range& node, std::int64_t slot,
            const std::function<void(std::int64_t, std::int64_t)>& combine,
            const std::function<void(std::int64_t)>& release);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::int64_t leaves_;
  std::vector<Entry> entries_;
};

/// Sum of one number per leaf along the tree. Returns 0 for an empty list.
template <class T>
[[nodiscard]] T tree_sum(std::span<const T> leaves) {
  const auto sum = [&](const auto& self, const Range& node) -> T {
    if (node.size() == 1) return leaves[static_cast<std::size_t>(node.begin)];
    const std::int64_t middle = split_point(node);
    return self(self, Range{node.begin, middle}) + self(self, Range{middle, node.end});
  };
  return leaves.empty() ? T{} : sum(sum, Range{0, static_cast<std::int64_t>(leaves.size())});
}
template <class T>
[[nodiscard]] T tree_sum(const std::vector<T>& leaves) {
  return tree_sum(std::span<const T>(leaves));
}

}  // namespace convoy::comm
