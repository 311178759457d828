#include "convoy/comm/tree.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace convoy::comm {
namespace {

void collect(const Range& node, const Range& block, std::vector<Range>& nodes) {
  if (node.end <= block.begin || block.end <= node.begin) return;
  if (block.begin <= node.begin && node.end <= block.end) {
    nodes.push_back(node);
    return;
  }
  const std::int64_t middle = split_point(node);
  collect({node.begin, middle}, block, nodes);
  collect({middle, node.end}, block, nodes);
}

}  // namespace

std::int64_t split_point(const Range& node) {
  assert(node.size() >= 2);
  const auto size = static_cast<std::uint64_t>(node.size());
  return node.begin + static_cast<std::int64_t>(std::bit_floor(size - 1));
}

bool are_siblings(const Range& left, const Range& right, std::int64_t leaves) {
  if (left.end != right.begin) return false;
  Range node{0, leaves};
  while (node.size() > 1) {  // descend towards `left` until a node separates the two
    const std::int64_t middle = split_point(node);
    if (middle == left.end) return node.begin == left.begin && node.end == right.end;
    if (left.end < middle) {
      node.end = middle;
    } else {
      node.begin = middle;
    }
  }
  return false;
}

std::vector<Range> maximal_nodes(const Range& block, std::int64_t leaves) {
  std::vector<Range> nodes;
  if (leaves > 0 && block.size() > 0) collect({0, leaves}, block, nodes);
  return nodes;
}

std::int64_t stack_depth(const Range& block, std::int64_t leaves) {
  std::int64_t deepest = 0;
  TreeStack stack(leaves);
  for (std::int64_t leaf = block.begin; leaf < block.end; ++leaf) {
    // A new leaf needs its own slot until it is merged.
    deepest = std::max(deepest, static_cast<std::int64_t>(stack.entries().size()) + 1);
    stack.push(
        {leaf, leaf + 1}, 0, [](std::int64_t, std::int64_t) {}, [](std::int64_t) {});
  }
  return deepest;
}

void TreeStack::push(const Range& node, std::int64_t slot,
                     const std::function<void(std::int64_t, std::int64_t)>& combine,
                     const std::function<void(std::int64_t)>& release) {
  entries_.push_back({node, slot});
  while (entries_.size() >= 2) {
    Entry& left = entries_[entries_.size() - 2];
    const Entry right = entries_.back();
    if (!are_siblings(left.node, right.node, leaves_)) return;
    combine(left.slot, right.slot);
    release(right.slot);
    left.node.end = right.node.end;
    entries_.pop_back();
  }
}

}  // namespace convoy::comm
