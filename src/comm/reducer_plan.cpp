// Which rank does what in a Reducer: from the number of ranks of every node, and of leaves.

#include <algorithm>
#include <cassert>
#include <utility>

#include "convoy/comm/reducer.hpp"

namespace convoy::comm {

void Reducer::find_nodes(const Communicator& world, NodeMemory memory) {
  std::vector<int> first_of_node(static_cast<std::size_t>(world.size()));
  for (int rank = 0; rank < world.size(); ++rank) first_of_node[static_cast<std::size_t>(rank)] = rank;
  if (memory == NodeMemory::kShared && world.size() > 1) {
    Communicator node = world.node();
    const int first = node.broadcast_value(world.rank());
    std::vector<int> all(first_of_node.size());
    world.all_gather_equal<int>(std::span<const int>(&first, 1), all);
    if (std::is_sorted(all.begin(), all.end())) {  // else the leaves of a node are no contiguous block
      first_of_node = std::move(all);
      node_ = std::move(node);
    }
  }
  for (int rank = 0; rank < world.size(); ++rank)
    if (first_of_node[static_cast<std::size_t>(rank)] == rank) node_first_.push_back(rank);
  node_first_.push_back(world.size());
  my_node_ = node_of(world.rank());
}

int Reducer::node_of(int rank) const {
  return static_cast<int>(std::upper_bound(node_first_.begin(), node_first_.end(), rank) -
                          node_first_.begin()) -
         1;
}

int Reducer::handler(int node, int owner) const {
  const int owners_node = node_of(owner);
  if (node == owners_node) return owner;
  const auto first = [&](int n) { return node_first_[static_cast<std::size_t>(n)]; };
  return first(node) + (owner - first(owners_node)) % (first(node + 1) - first(node));
}

std::vector<int> Reducer::finishes() const {
  return options_.updates == Updates::kEverywhere ? handled_ : std::vector{world_.rank()};
}

Range Reducer::node_block(std::int64_t leaves, int node) const {
  const auto first = [&](int n) { return node_first_[static_cast<std::size_t>(n)]; };
  return {leaf_block(leaves, world_.size(), first(node)).begin,
          leaf_block(leaves, world_.size(), first(node + 1) - 1).end};
}

void Reducer::plan(std::int64_t leaves, const std::vector<std::int64_t>& slots) {
  if (plans_.contains(leaves)) return;
  Plan& plan = plans_[leaves];
  const auto adds_to = [](std::vector<Merge>& merges) {
    return [&merges](std::int64_t left, std::int64_t right) {
      merges.push_back({static_cast<std::size_t>(left), static_cast<std::size_t>(right)});
    };
  };
  const auto frees_nothing = [](std::int64_t) {};

  // Of this node, where only each rank knows which slots it uses.
  const std::vector<std::int64_t> all_slots = node_.all_gather_values(slots);
  TreeStack of_node(leaves);
  for (int mate = 0; mate < node_.size(); ++mate) {
    const int rank = node_first_[static_cast<std::size_t>(my_node_)] + mate;
    auto* first = reinterpret_cast<float*>(shared_slots_->of(mate).data());
    for (const Range& node : maximal_nodes(leaf_block(leaves, world_.size(), rank), leaves)) {
      plan.mates.push_back(first + all_slots.at(plan.mates.size()) * stride_);
      of_node.push(node, static_cast<std::int64_t>(plan.mates.size()) - 1, adds_to(plan.node_merges),
                   frees_nothing);
    }
  }
  for (const TreeStack::Entry& entry : of_node.entries())
    plan.complete.push_back(static_cast<std::size_t>(entry.slot));

  // Of the job: what every node holds follows from its number.
  TreeStack of_job(leaves);
  for (int node = 0; node < nodes(); ++node) {
    std::size_t index = 0;
    for (const Range& each : maximal_nodes(node_block(leaves, node), leaves)) {
      plan.parts.push_back({node, index++});
      of_job.push(each, static_cast<std::int64_t>(plan.parts.size()) - 1, adds_to(plan.job_merges),
                  frees_nothing);
      if (node != my_node_) ++plan.foreign;
    }
    assert(node != my_node_ || index == plan.complete.size());
  }
  assert(of_job.entries().size() == 1 && of_job.entries().front().slot == 0);
  values_of_parts_.resize(std::max(values_of_parts_.size(), plan.parts.size()));
  if (options_.reduction == Reduction::kMpi) return;
  const std::size_t sums = options_.updates == Updates::kEverywhere ? foreign_owners_ : 0;
  const std::size_t staged = static_cast<std::size_t>(window() * staging_slice_) * (plan.foreign + sums);
  assert(is_idle());
  staging_.resize(std::max(staging_.size(), staged));
}

PartialSums Reducer::partial_sums(std::int64_t leaves) const {
  if (options_.reduction == Reduction::kMpi) return {};
  std::size_t sum = 0;
  std::size_t most = 0;
  for (int node = 0; node < nodes(); ++node) {
    const std::size_t of_node = maximal_nodes(node_block(leaves, node), leaves).size();
    sum += of_node;
    most = std::max(most, of_node);
  }
  return {.mean = static_cast<double>(sum) / nodes(), .most = static_cast<std::int64_t>(most)};
}

}  // namespace convoy::comm
