#include "convoy/step/loss_sums.hpp"

#include <algorithm>
#include <utility>

#include "convoy/comm/reducer.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/core/integer.hpp"

namespace convoy::step {

LossSums::LossSums(comm::Communicator world) : world_(std::move(world)) {}

std::span<MicroBatchResult> LossSums::places(std::int64_t leaves) {
  mine_.assign(static_cast<std::size_t>(ceil_div(leaves, world_.size())), {});
  return mine_;
}

MicroBatchResult LossSums::sum(std::int64_t leaves, int request, const std::function<void()>& meanwhile) {
  sent_.clear();
  for (const MicroBatchResult& leaf : mine_) sent_.push_back({.leaf = leaf, .request = request});
  all_.resize(sent_.size() * static_cast<std::size_t>(world_.size()));
  world_.all_gather_equal<Record>(sent_, all_, meanwhile);
  leaves_.clear();
  strongest_request_ = 0;
  for (int rank = 0; rank < world_.size(); ++rank) {
    const std::span<const Record> of_rank =
        std::span(all_).subspan(static_cast<std::size_t>(rank) * sent_.size(), sent_.size());
    const auto held = static_cast<std::size_t>(comm::leaf_block(leaves, world_.size(), rank).size());
    for (const Record& record : of_rank.first(held)) leaves_.push_back(record.leaf);
    strongest_request_ = std::max(strongest_request_, of_rank.front().request);
  }
  return comm::tree_sum(leaves_);
}

}  // namespace convoy::step
