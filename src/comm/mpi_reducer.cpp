#include "mpi_reducer.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "convoy/comm/tree.hpp"
#include "convoy/comm/wire.hpp"
#include "slices.hpp"

namespace convoy::comm {

MpiReducer::MpiReducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
                       const ReducerOptions& options, Finish finish)
    : world_(world),
      buckets_(std::move(buckets)),
      grain_(options.grain),
      assignment_(options.assignment),
      finish_(std::move(finish)),
      progress_(buckets_.size()),
      values_memory_(size),
      values_(values_memory_.span()),
      stride_(slot_stride(size)) {
  for (std::size_t i = 0; i < 2 * buckets_.size(); ++i) in_flight_.emplace_back(world);
}

Range MpiReducer::slice(int bucket, int rank) const {
  return slice_of(buckets_[static_cast<std::size_t>(bucket)], grain_, world_.size(), rank);
}

std::vector<int> MpiReducer::finishes() const {
  std::vector<int> all(static_cast<std::size_t>(world_.size()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void MpiReducer::plan(std::int64_t slots, const std::vector<Layout>& layouts) {
  assert(slots_.empty() && planned_.empty());
  slots_memory_ = AlignedBuffer<float>(std::max<std::int64_t>(1, slots) * stride_);
  slots_ = slots_memory_.span();
  for (const Layout& layout : layouts) {
    assert(!planned_.contains(layout.leaves));
    assert(layout.slots.size() ==
           maximal_nodes(leaf_block(layout.leaves, world_.size(), world_.rank()), layout.leaves).size());
    Nodes& nodes = planned_[layout.leaves];
    for (const std::int64_t each : layout.slots) {
      assert(each >= 0 && each < slots);
      nodes.push_back(slot(each));
    }
  }
}

float* MpiReducer::slot(std::int64_t i) const {
  return slots_.data() + i * stride_;
}

void MpiReducer::begin(std::int64_t leaves) {
  assert(planned_.contains(leaves));
  const Nodes& nodes = planned_.at(leaves);
  const std::int64_t first = progress_.begun_end();
  progress_.begin();
  for (std::int64_t number = first; number < progress_.begun_end(); ++number)
    in_flight_[progress_.place_of(number)].nodes = &nodes;
  poll();
}

void MpiReducer::contribute(int bucket) {
  progress_.contribute(bucket);
  assert(is_done(bucket) ||
         in_flight_[progress_.place_of(progress_.begun_end() - bucket_count() + bucket)].nodes->empty());
}

void MpiReducer::poll() {
  bool moves = true;
  while (moves && !is_idle()) {
    moves = merge_next();
    moves = finish_next() || moves;
  }
}

bool MpiReducer::merge_next() {
  if (!progress_.may_merge()) return false;
  const std::int64_t number = progress_.next_to_merge();
  const Range& elements = buckets_[static_cast<std::size_t>(progress_.bucket_of(number))];
  BucketInFlight& bucket = in_flight_[progress_.place_of(number)];
  bucket.sum = sum_nodes(*bucket.nodes, elements);
  bucket.sum_of_all.add_over_all({bucket.sum, static_cast<std::size_t>(elements.size())});
  progress_.merge();
  return true;
}

float* MpiReducer::sum_nodes(const Nodes& nodes, const Range& elements) const {
  if (nodes.empty()) {
    float* zeros = slot(0) + elements.begin;
    std::fill_n(zeros, elements.size(), 0.0F);
    return zeros;
  }
  float* sum = nodes.front() + elements.begin;
  for (const float* node : std::span(nodes).subspan(1))
    add_node(Wire::kFloat32, {sum, static_cast<std::size_t>(elements.size())}, node + elements.begin);
  return sum;
}

bool MpiReducer::finish_next() {
  if (!progress_.may_finish()) return false;
  const std::int64_t number = progress_.next_to_finish();
  BucketInFlight& bucket = in_flight_[progress_.place_of(number)];
  if (!bucket.sum_of_all.is_complete()) return false;
  const int index = progress_.bucket_of(number);
  finish_(progress_.step_of(number), index, buckets_[static_cast<std::size_t>(index)], bucket.sum);
  progress_.finish();
  if (assignment_ == Assignment::kInFinish) retire(number);
  return true;
}

void MpiReducer::retire(std::int64_t number) {
  progress_.gather(number);
  progress_.retire(number);
}

bool MpiReducer::has_all_sums() const {
  return progress_.next_to_finish() == progress_.begun_end();
}

void MpiReducer::release() {
  assert(assignment_ == Assignment::kBeforeRelease && has_all_sums());
  const std::int64_t end = progress_.begun_end();
  for (std::int64_t number = end - bucket_count(); number < end; ++number) retire(number);
}

}  // namespace convoy::comm
