#pragma once
// The one binary tree along which everything summed over micro-batches is added (src/CONTRACT.md, "The same
// bits").
//
// Leaves are micro-batch numbers 0 … V−1. Node [a,b) splits at a + the largest power of two below b − a; its
// value is left + right, one rounding. Pure functions; no communication.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The leaves rank `rank` of `ranks` computes when there are `leaves` of them.
[[nodiscard]] inline Range leaf_block(std::int64_t leaves, int ranks, int rank) {
  return split(leaves, ranks, rank);
}

/// Where node [node.begin, node.end) of two or more leaves splits.
[[nodiscard]] std::int64_t split_point(const Range& node);

/// True if `left` and `right` are the two children of one node of the tree over [0, leaves).
[[nodiscard]] bool are_siblings(const Range& left, const Range& right, std::int64_t leaves);

/// The fewest nodes of the tree over [0, leaves) that make up `block`, in order: what a rank sends.
[[nodiscard]] std::vector<Range> maximal_nodes(const Range& block, std::int64_t leaves);

/// f: partial sums (complete nodes) that a host, or rank, sends of a step's gradients: how often its bytes
/// cross the wire on their way to the owners. The host that sends the most decides how long that takes.
struct PartialSums {
  double mean = 1;
  std::int64_t most = 1;
};

/// Most nodes that a stack of partial sums holds at a time while the leaves of `block` are pushed in order.
[[nodiscard]] std::int64_t stack_depth(const Range& block, std::int64_t leaves);

/// Adds nodes that arrive in order (leaves, or already complete nodes) along the tree: whenever the top two
/// are siblings, they become their parent. What is left at the end are the maximal nodes of what was pushed;
/// the root alone, if all was.
class TreeStack {
 public:
  struct Entry {
    Range node;
    std::int64_t slot = 0;  ///< which of the caller's buffers holds the value
  };

  explicit TreeStack(std::int64_t leaves) : leaves_(leaves) {}

  /// `slot` now holds `node`'s value. `combine(left, right)` must do buffer[left] += buffer[right]; right's
  /// slot is free afterwards and is handed to `release`.
  void push(const Range& node, std::int64_t slot,
            const std::function<void(std::int64_t, std::int64_t)>& combine,
            const std::function<void(std::int64_t)>& release);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::int64_t leaves_;
  std::vector<Entry> entries_;
};

/// The tree's sum of one number a leaf. An empty list gives 0.
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
