#include "leaf_sums.hpp"

#include <utility>

#include "convoy/comm/reducer.hpp"
#include "convoy/comm/tree.hpp"
#include "setup.hpp"

namespace convoy::train {

LeafSums::LeafSums(comm::Communicator world) : world_(std::move(world)) {}

std::span<LeafResult> LeafSums::places(std::int64_t leaves) {
  mine_.assign(static_cast<std::size_t>(ceil_div(leaves, world_.size())), {});
  return mine_;
}

LeafResult LeafSums::sum(std::int64_t leaves, const std::function<void()>& meanwhile) {
  all_.resize(mine_.size() * static_cast<std::size_t>(world_.size()));
  world_.all_gather_equal<LeafResult>(mine_, all_, meanwhile);
  losses_.clear();
  LeafResult sum;
  for (int rank = 0; rank < world_.size(); ++rank) {
    const auto held = static_cast<std::size_t>(comm::leaf_block(leaves, world_.size(), rank).size());
    for (std::size_t i = 0; i < held; ++i) {
      const LeafResult& leaf = all_[static_cast<std::size_t>(rank) * mine_.size() + i];
      losses_.push_back(leaf.loss_sum);
      sum.correct += leaf.correct;
    }
  }
  sum.loss_sum = comm::tree_sum(losses_);
  return sum;
}

}  // namespace convoy::train
