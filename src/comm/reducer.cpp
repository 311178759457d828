#include "convoy/comm/reducer.hpp"

#include <cassert>
#include <utility>

#include "messages.hpp"

namespace convoy::comm {
namespace {

constexpr int kNodeTag = 1000;  // + index among the sender's maximal nodes
constexpr int kResultTag = 999;

}  // namespace

Reducer::Reducer(Communicator communicator, std::int64_t size)
    : communicator_(std::move(communicator)),
      size_(size),
      exchange_(std::make_unique<Exchange>(communicator_)) {}

Reducer::~Reducer() = default;

const Reducer::Plan& Reducer::plan_for(std::int64_t leaves) {
  const auto [found, is_new] = plans_.try_emplace(leaves);
  Plan& plan = found->second;
  if (!is_new) return plan;
  // What every rank holds follows from its number: nobody has to say.
  TreeStack stack(leaves);
  const int ranks = communicator_.size();
  for (int rank = 0; rank < ranks; ++rank) {
    int index = 0;
    for (const Range& node : maximal_nodes(leaf_block(leaves, ranks, rank), leaves)) {
      plan.parts.push_back({rank, index++});
      stack.push(
          node, static_cast<std::int64_t>(plan.parts.size() - 1),
          [&](std::int64_t left, std::int64_t right) {
            plan.merges.push_back({static_cast<std::size_t>(left), static_cast<std::size_t>(right)});
          },
          [](std::int64_t) {});
      if (rank != communicator_.rank()) ++plan.foreign;
    }
  }
  assert(stack.entries().size() == 1 && stack.entries().front().slot == 0);
  return plan;
}

void Reducer::reduce(std::span<const NodeValue> mine, std::int64_t leaves, float divisor,
                     std::span<float> result) {
  const int ranks = communicator_.size();
  const int me = communicator_.rank();
  const auto slice_of = [&](int rank) { return split(size_, ranks, rank); };
  const Range my_slice = slice_of(me);
  const auto my_size = static_cast<std::size_t>(my_slice.size());
  const Plan& plan = plan_for(leaves);
  assert(mine.size() == plan.parts.size() - plan.foreign);
  if (staging_.size() < plan.foreign * my_size) staging_.resize(plan.foreign * my_size);

  // Reduce-scatter: my slice of every part.
  values_.resize(plan.parts.size());
  float* next = staging_.data();
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const Plan::Part& part = plan.parts[i];
    if (part.rank == me) {
      values_[i] = mine[static_cast<std::size_t>(part.index)].value + my_slice.begin;
    } else {
      exchange_->receive({next, my_size}, part.rank, kNodeTag + part.index);
      values_[i] = next;
      next += my_size;
    }
  }
  for (int step = 1; step < ranks; ++step) {  // everyone begins with another receiver
    const int rank = (me + step) % ranks;
    const Range slice = slice_of(rank);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      exchange_->send({mine[i].value + slice.begin, static_cast<std::size_t>(slice.size())}, rank,
                      kNodeTag + static_cast<int>(i));
      bytes_sent_ += slice.size() * static_cast<std::int64_t>(sizeof(float));
    }
  }
  exchange_->wait();

  for (const Plan::Merge& merge : plan.merges) {
    float* left = values_[merge.left];
    const float* right = values_[merge.right];
    for (std::size_t k = 0; k < my_size; ++k) left[k] += right[k];
  }
  const float* root = values_.front();
  float* own = result.data() + my_slice.begin;
  for (std::size_t k = 0; k < my_size; ++k) own[k] = root[k] / divisor;

  // All-gather.
  for (int step = 1; step < ranks; ++step) {
    const int to = (me + step) % ranks;
    const int from = (me - step + ranks) % ranks;
    const Range theirs = slice_of(from);
    exchange_->receive({result.data() + theirs.begin, static_cast<std::size_t>(theirs.size())}, from,
                       kResultTag);
    exchange_->send({own, my_size}, to, kResultTag);
    bytes_sent_ += my_slice.size() * static_cast<std::int64_t>(sizeof(float));
  }
  exchange_->wait();
}

}  // namespace convoy::comm
