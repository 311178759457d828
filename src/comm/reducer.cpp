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
    : communicator_(std::move(communicator)), size_(size) {}

void Reducer::reduce(std::span<const NodeValue> mine, std::int64_t leaves, float divisor,
                     std::span<float> result) {
  const int ranks = communicator_.size();
  const int me = communicator_.rank();
  const auto slice_of = [&](int rank) { return split(size_, ranks, rank); };
  const Range my_slice = slice_of(me);
  const auto my_size = static_cast<std::size_t>(my_slice.size());

  // What every rank holds follows from its number: nobody has to say.
  std::vector<std::vector<Range>> held(static_cast<std::size_t>(ranks));
  std::size_t foreign_nodes = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    auto& nodes = held[static_cast<std::size_t>(rank)];
    nodes = maximal_nodes(leaf_block(leaves, ranks, rank), leaves);
    if (rank != me) foreign_nodes += nodes.size();
  }
  assert(mine.size() == held[static_cast<std::size_t>(me)].size());
  if (staging_.size() < foreign_nodes * my_size) staging_.resize(foreign_nodes * my_size);

  // Reduce-scatter: my slice of every node of the tree's cut, by leaf order = by rank order.
  std::vector<std::pair<Range, float*>> parts;
  Exchange exchange(communicator_);
  float* next = staging_.data();
  for (int rank = 0; rank < ranks; ++rank) {
    const auto& nodes = held[static_cast<std::size_t>(rank)];
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (rank == me) {
        parts.emplace_back(nodes[i], mine[i].value + my_slice.begin);
      } else {
        exchange.receive({next, my_size}, rank, kNodeTag + static_cast<int>(i));
        parts.emplace_back(nodes[i], next);
        next += my_size;
      }
    }
  }
  for (int step = 1; step < ranks; ++step) {  // everyone begins with another receiver
    const int rank = (me + step) % ranks;
    const Range slice = slice_of(rank);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      exchange.send({mine[i].value + slice.begin, static_cast<std::size_t>(slice.size())}, rank,
                    kNodeTag + static_cast<int>(i));
      bytes_sent_ += slice.size() * static_cast<std::int64_t>(sizeof(float));
    }
  }
  exchange.wait();

  TreeStack stack(leaves);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    stack.push(
        parts[i].first, static_cast<std::int64_t>(i),
        [&](std::int64_t left, std::int64_t right) {
          float* a = parts[static_cast<std::size_t>(left)].second;
          const float* b = parts[static_cast<std::size_t>(right)].second;
          for (std::size_t k = 0; k < my_size; ++k) a[k] += b[k];
        },
        [](std::int64_t) {});
  }
  assert(stack.entries().size() == 1);
  const float* root = parts[static_cast<std::size_t>(stack.entries().front().slot)].second;
  float* own = result.data() + my_slice.begin;
  for (std::size_t k = 0; k < my_size; ++k) own[k] = root[k] / divisor;

  // All-gather.
  for (int step = 1; step < ranks; ++step) {
    const int to = (me + step) % ranks;
    const int from = (me - step + ranks) % ranks;
    const Range theirs = slice_of(from);
    exchange.receive({result.data() + theirs.begin, static_cast<std::size_t>(theirs.size())}, from,
                     kResultTag);
    exchange.send({own, my_size}, to, kResultTag);
    bytes_sent_ += my_slice.size() * static_cast<std::int64_t>(sizeof(float));
  }
  exchange.wait();
}

}  // namespace convoy::comm
