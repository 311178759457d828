#include "convoy/step/leaf_sums.hpp"

#include <algorithm>
#include <utility>

#include "convoy/comm/reducer.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/core/integer.hpp"

namespace convoy::step {

LeafSums::LeafSums(comm::Communicator world) : world_(std::move(world)) {}

std::span<LeafResult> LeafSums::places(std::int64_t leaves) {
  mine_.assign(static_cast<std::size_t>(ceil_div(leaves, world_.size())) + 1, {});  // the last: the note
  return std::span(mine_).first(mine_.size() - 1);
}

LeafResult LeafSums::sum(std::int64_t leaves, int note, const std::function<void()>& meanwhile) {
  mine_.back().correct = note;
  all_.resize(mine_.size() * static_cast<std::size_t>(world_.size()));
  world_.all_gather_equal<LeafResult>(mine_, all_, meanwhile);
  losses_.clear();
  largest_note_ = 0;
  LeafResult sum;
  for (int rank = 0; rank < world_.size(); ++rank) {
    const auto held = static_cast<std::size_t>(comm::leaf_block(leaves, world_.size(), rank).size());
    for (std::size_t i = 0; i < held; ++i) {
      const LeafResult& leaf = all_[static_cast<std::size_t>(rank) * mine_.size() + i];
      losses_.push_back(leaf.loss_sum);
      sum.correct += leaf.correct;
    }
    const LeafResult& last = all_[static_cast<std::size_t>(rank + 1) * mine_.size() - 1];
    largest_note_ = std::max(largest_note_, static_cast<int>(last.correct));
  }
  sum.loss_sum = comm::tree_sum(losses_);
  return sum;
}

}  // namespace convoy::step
