#include "tree_reducer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "convoy/comm/tree.hpp"
#include "slices.hpp"

namespace convoy::comm {
namespace {

constexpr int kPartTag = 1001;        // partial sum of a slice, sent to its owner
constexpr int kValueTag = 2000;       // + bucket: new values (or sum) of a slice, sent by its owner
constexpr std::int64_t kWindow = 32;  // buckets whose receives of partial sums are posted ahead
/// Limit on bytes of values in flight while partial sums are pending: more than 10 Gbit/s transfers between
/// two polls.
constexpr std::int64_t kFewBytes = 1 << 20;
constexpr std::int64_t kCounters = 8;  // the first cache line, before the counters of the buckets

constexpr auto kReal = static_cast<std::int64_t>(sizeof(float));
constexpr auto kCounter = static_cast<std::int64_t>(sizeof(std::atomic<std::int64_t>));

/// Adds `parts` over a range, along the tree.
void merge(Wire wire, std::span<float* const> parts, const std::vector<TreeMerge>& merges,
           const Range& elements) {
  const auto size = static_cast<std::size_t>(elements.size());
  for (const TreeMerge& each : merges)
    add_node(wire, {parts[each.left] + elements.begin, size}, parts[each.right] + elements.begin);
}

std::span<float> stretch(float* values, std::int64_t size) {
  return {values, static_cast<std::size_t>(size)};
}

}  // namespace

TreeReducer::TreeReducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
                         const ReducerOptions& options, Finish finish)
    : world_(world),
      map_(world, options.memory),
      buckets_(std::move(buckets)),
      options_(options),
      finish_(std::move(finish)),
      progress_(buckets_.size()),
      shared_values_(map_.node(), map_.node().is_root() ? size * kReal : 0),
      shared_counters_(map_.node(), (kCounters + bucket_count()) * kCounter),
      values_{reinterpret_cast<float*>(shared_values_.of(0).data()), static_cast<std::size_t>(size)},
      stride_(slot_stride(size)) {
  for (int owner = 0; owner < world.size(); ++owner) {
    if (map_.node_proxy(map_.my_node(), owner) != world.rank()) continue;
    if (map_.node_of(owner) <= map_.my_node()) first_proxied_ = proxied_.size() + 1;
    proxied_.push_back(owner);
    if (is_remote(owner)) ++remote_owners_;
  }
  const int me = map_.node().rank();
  contributed_by(me) = 0;
  for (int bucket = 0; bucket < bucket_count(); ++bucket) gathered_by(me, bucket) = 0;
  if (map_.node().is_root()) std::fill(values_.begin(), values_.end(), 0.0F);
  map_.node().barrier();
  for (const Range& bucket : buckets_)
    for (int rank = 0; rank < world.size(); ++rank)
      staging_slice_ = std::max(staging_slice_, slice_of(bucket, options.grain, world.size(), rank).size());
  for (std::int64_t i = 0; i < 2 * bucket_count(); ++i) in_flight_.emplace_back(world);
  unsent_.reserve(in_flight_.size());
}

Range TreeReducer::slice(int bucket, int rank) const {
  return slice_of(buckets_[static_cast<std::size_t>(bucket)], options_.grain, world_.size(), rank);
}

std::vector<int> TreeReducer::finishes() const {
  return updates_everywhere() ? proxied_ : std::vector{world_.rank()};
}

PartialSums TreeReducer::partial_sums(std::int64_t leaves) const {
  std::size_t sum = 0;
  std::size_t most = 0;
  for (int node = 0; node < nodes(); ++node) {
    const std::size_t of_node = maximal_nodes(map_.leaves_of(node, leaves), leaves).size();
    sum += of_node;
    most = std::max(most, of_node);
  }
  return {.mean = static_cast<double>(sum) / nodes(), .most = static_cast<std::int64_t>(most)};
}

void TreeReducer::plan(std::int64_t slots, const std::vector<Layout>& layouts) {
  assert(shared_slots_ == nullptr);
  shared_slots_ =
      std::make_unique<NodeSegments>(map_.node(), std::max<std::int64_t>(1, slots) * stride_ * kReal);
  std::size_t remote = 0;
  for (const Layout& layout : layouts) {
    assert(!plans_.contains(layout.leaves));
    assert(layout.slots.size() ==
           maximal_nodes(leaf_block(layout.leaves, world_.size(), world_.rank()), layout.leaves).size());
    assert(std::ranges::all_of(layout.slots, [&](std::int64_t each) { return each >= 0 && each < slots; }));
    // Slot indices are known only to the rank that uses them.
    const std::vector<std::int64_t> slots_of_node = map_.node().all_gather_values(layout.slots);
    auto next = slots_of_node.begin();
    const TreePlan& plan = plans_[layout.leaves] =
        plan_tree(map_, layout.leaves, [&](int peer) { return slot_of(peer, *next++); });
    remote = std::max(remote, plan.remote);
    values_of_parts_.resize(std::max(values_of_parts_.size(), plan.parts.size()));
  }
  const std::size_t sums = updates_everywhere() ? remote_owners_ : 0;
  staging_.resize(static_cast<std::size_t>(window() * staging_slice_) * (remote + sums));
}

float* TreeReducer::slot_of(int peer, std::int64_t i) const {
  return reinterpret_cast<float*>(shared_slots_->of(peer).data()) + i * stride_;
}

std::int64_t TreeReducer::bytes_of_node_peers() const {
  std::size_t bytes = 0;
  for (int peer = 0; peer < map_.node().size(); ++peer)
    if (peer != map_.node().rank()) bytes += shared_slots_->of(peer).size();
  return static_cast<std::int64_t>(bytes);
}

Wire TreeReducer::wire_of(int bucket) const {
  const bool is_exact = buckets_[static_cast<std::size_t>(bucket)].begin >= options_.exact_from;
  return is_exact ? Wire::kFloat32 : options_.wire;
}

std::atomic<std::int64_t>& TreeReducer::contributed_by(int peer) const {
  return reinterpret_cast<std::atomic<std::int64_t>*>(shared_counters_.of(peer).data())[0];
}

std::atomic<std::int64_t>& TreeReducer::gathered_by(int peer, int bucket) const {
  auto* counters = reinterpret_cast<std::atomic<std::int64_t>*>(shared_counters_.of(peer).data());
  return counters[kCounters + bucket];
}

int TreeReducer::peer_to_contribute(std::int64_t number) const {
  for (int peer = 0; peer < map_.node().size(); ++peer)
    if (contributed_by(peer).load(std::memory_order_acquire) <= number) return peer;
  return -1;
}

int TreeReducer::peer_to_gather(std::int64_t number) const {
  for (int peer = 0; peer < map_.node().size(); ++peer)
    if (gathered_by(peer, progress_.bucket_of(number)).load(std::memory_order_acquire) <=
        progress_.step_of(number))
      return peer;
  return -1;
}

std::int64_t TreeReducer::window() const {
  // All sums of a step stay in the staging buffers until release().
  const bool holds_all = updates_everywhere() && waits_for_release();
  return holds_all ? 2 * bucket_count() : std::min(kWindow, 2 * bucket_count());
}

float* TreeReducer::staging(std::int64_t number, std::size_t remote) {
  const std::size_t row = staging_.size() / static_cast<std::size_t>(window());
  return staging_.data() + static_cast<std::size_t>(number % window()) * row +
         remote * static_cast<std::size_t>(staging_slice_);
}

void TreeReducer::begin(std::int64_t leaves) {
  assert(plans_.contains(leaves));
  const TreePlan& plan = plans_.at(leaves);
  const std::int64_t first = progress_.begun_end();
  progress_.begin();
  for (std::int64_t number = first; number < progress_.begun_end(); ++number) {
    in_flight(number).plan = &plan;
    in_flight(number).is_sent = false;
  }
  poll();
}

void TreeReducer::contribute(int bucket) {
  progress_.contribute(bucket);
  assert(is_done(bucket) || in_flight(progress_.begun_end() - 1).plan->mine == 0);
  contributed_by(map_.node().rank()).store(progress_.contributed_end(), std::memory_order_release);
}

void TreeReducer::poll() {
  bool moves = true;
  while (moves && !is_idle()) {
    post_receives();
    moves = merge_next();
    moves = finish_next() || moves;
    moves = send_values() || moves;
    moves = gather_and_retire() || moves;
  }
  waits_for_.store(awaited(), std::memory_order_relaxed);
}

int TreeReducer::awaited() {
  if (is_idle()) return -1;
  const auto rank_of = [&](int peer) { return peer < 0 ? -1 : map_.first_rank(map_.my_node()) + peer; };
  const std::int64_t oldest = progress_.oldest();
  BucketInFlight& bucket = in_flight(oldest);
  switch (progress_.stage(oldest)) {
    case Stage::kDone:
    case Stage::kBegun:
      return -1;
    case Stage::kContributed:
      return rank_of(peer_to_contribute(oldest));
    case Stage::kMerged:
      return bucket.parts.pending_peer();
    case Stage::kFinished:
      return bucket.values.pending_peer();
    case Stage::kGathered:
      break;
  }
  if (const int peer = peer_to_gather(oldest); peer >= 0) return rank_of(peer);
  const int receiver = bucket.sent_parts.pending_peer();
  return receiver >= 0 ? receiver : bucket.sent_values.pending_peer();
}

void TreeReducer::post_receives() {
  const int me = world_.rank();
  // Staging buffers of a bucket are read until the bucket is finished; with updates everywhere, sums are also
  // sent from them, so they are free only when the bucket is done.
  const std::int64_t free_from = updates_everywhere() ? progress_.oldest() : progress_.next_to_finish();
  const std::int64_t end = std::min(progress_.begun_end(), free_from + window());
  for (; posted_ < end; ++posted_) {
    BucketInFlight& bucket = in_flight(posted_);
    const int index = progress_.bucket_of(posted_);
    const Wire wire = wire_of(index);
    std::size_t remote = 0;
    for (const TreePlan::Part& part : bucket.plan->parts) {
      if (part.node == map_.my_node()) continue;
      const std::span<float> room = stretch(staging(posted_, remote++), slice(index, me).size());
      bucket.parts.receive(packed(wire, room), map_.node_proxy(part.node, me), kPartTag);
    }
    if (!updates_everywhere()) continue;
    for (const int owner : proxied_) {
      if (!is_remote(owner)) continue;
      const std::span<float> room = stretch(staging(posted_, remote++), slice(index, owner).size());
      bucket.values.receive(packed(wire, room), owner, kValueTag + index);
    }
  }
}

std::int64_t TreeReducer::send(Exchange& sends, Wire wire, std::span<const float> values, int to, int tag) {
  const std::size_t bytes = values.size() * static_cast<std::size_t>(wire_bytes(wire));
  sends.send(std::as_bytes(values).first(bytes), to, tag);
  bytes_sent_ += static_cast<std::int64_t>(bytes);
  return static_cast<std::int64_t>(bytes);
}

bool TreeReducer::merge_next() {
  const std::int64_t number = progress_.next_to_merge();
  if (!progress_.may_merge() || peer_to_contribute(number) >= 0) return false;
  merge_and_send(number);
  progress_.merge();
  return true;
}

void TreeReducer::merge_and_send(std::int64_t number) {
  BucketInFlight& bucket = in_flight(number);
  const TreePlan& plan = *bucket.plan;
  const int index = progress_.bucket_of(number);
  const Wire wire = wire_of(index);
  for (std::size_t i = 0; i < proxied_.size(); ++i) {
    const int owner = proxied_[(first_proxied_ + i) % proxied_.size()];
    const Range elements = slice(index, owner);
    merge(wire, plan.buffers, plan.node_merges, elements);
    if (!is_remote(owner)) continue;
    for (const std::size_t whole : plan.complete) {
      const std::span<float> part = stretch(plan.buffers[whole] + elements.begin, elements.size());
      pack(wire, part);  // no other rank reads this slice of the part
      send(bucket.sent_parts, wire, part, owner, kPartTag);
    }
    if (updates_everywhere()) continue;
    // Post the receive before the owner can send. From here on, nothing reads the old values.
    const std::span<float> values = stretch(values_.data() + elements.begin, elements.size());
    bucket.values.receive(std::as_writable_bytes(values), owner, kValueTag + index);
  }
}

bool TreeReducer::finish_next() {
  const std::int64_t number = progress_.next_to_finish();
  if (!progress_.may_finish() || number == posted_) return false;  // receive not posted
  if (!in_flight(number).parts.is_complete()) return false;
  finish_slice(number);
  progress_.finish();
  return true;
}

void TreeReducer::finish_slice(std::int64_t number) {
  const TreePlan& plan = *in_flight(number).plan;
  const int index = progress_.bucket_of(number);
  const Wire wire = wire_of(index);
  const Range elements = slice(index, world_.rank());
  std::size_t remote = 0;
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const TreePlan::Part& part = plan.parts[i];
    if (part.node == map_.my_node()) {
      values_of_parts_[i] = plan.buffers[plan.complete[part.index]] + elements.begin;
    } else {
      values_of_parts_[i] = staging(number, remote++);
      unpack(wire, stretch(values_of_parts_[i], elements.size()));
    }
  }
  merge(wire, values_of_parts_, plan.job_merges, {0, elements.size()});
  const std::span<float> sum = stretch(values_of_parts_.front(), elements.size());
  if (elements.size() > 0) finish_(progress_.step_of(number), index, elements, sum.data());
  if (updates_everywhere()) {
    pack(wire, sum);
    send_to_nodes(number, wire, sum);
  } else if (!waits_for_release()) {
    unsent_.push_back(number);
  }
}

void TreeReducer::send_to_nodes(std::int64_t number, Wire wire, std::span<const float> values) {
  BucketInFlight& bucket = in_flight(number);
  bucket.value_bytes = 0;
  for (int step = 1; step < nodes(); ++step) {  // each node starts with a different receiver
    const int to = map_.node_proxy((map_.my_node() + step) % nodes(), world_.rank());
    bucket.value_bytes += send(bucket.sent_values, wire, values, to, kValueTag + progress_.bucket_of(number));
  }
  bytes_under_way_ += bucket.value_bytes;
  bucket.is_sent = true;
}

bool TreeReducer::send_values() {
  const bool are_sums_to_come = progress_.bucket_of(progress_.next_to_finish()) != 0;
  const std::size_t before = unsent_.size();
  while (!unsent_.empty() && !(are_sums_to_come && bytes_under_way_ >= kFewBytes)) {
    const std::int64_t number = unsent_.back();
    const Range elements = slice(progress_.bucket_of(number), world_.rank());
    unsent_.pop_back();
    send_to_nodes(number, Wire::kFloat32, stretch(values_.data() + elements.begin, elements.size()));
  }
  return unsent_.size() != before;
}

bool TreeReducer::gather_and_retire() {
  const std::int64_t before = moves();
  for (std::int64_t number = progress_.oldest(); number < progress_.next_to_finish(); ++number) {
    if (progress_.stage(number) == Stage::kDone) continue;
    const bool may_gather = updates_everywhere() || is_released(number);
    if (progress_.stage(number) == Stage::kFinished && may_gather && in_flight(number).values.is_complete())
      gather(number);
    if (has_all_come_and_gone(number)) progress_.retire(number);
  }
  return moves() != before;
}

bool TreeReducer::has_all_come_and_gone(std::int64_t number) {
  BucketInFlight& bucket = in_flight(number);
  if (!bucket.is_sent || !bucket.sent_values.is_complete()) return false;
  bytes_under_way_ -= std::exchange(bucket.value_bytes, 0);
  return progress_.stage(number) == Stage::kGathered && peer_to_gather(number) < 0 &&
         bucket.sent_parts.is_complete();
}

void TreeReducer::gather(std::int64_t number) {
  const int index = progress_.bucket_of(number);
  if (updates_everywhere()) {
    std::size_t row = in_flight(number).plan->remote;
    for (const int owner : proxied_) {
      if (!is_remote(owner)) continue;
      const Range elements = slice(index, owner);
      const std::span<float> sum = stretch(staging(number, row++), elements.size());
      unpack(wire_of(index), sum);
      if (elements.size() > 0) finish_(progress_.step_of(number), index, elements, sum.data());
    }
  }
  progress_.gather(number);
  if (is_released(number)) tell_gathered(number);
}

void TreeReducer::tell_gathered(std::int64_t number) {
  gathered_by(map_.node().rank(), progress_.bucket_of(number))
      .store(progress_.step_of(number) + 1, std::memory_order_release);
}

bool TreeReducer::has_all_sums() const {
  if (progress_.next_to_finish() != progress_.begun_end()) return false;
  if (!updates_everywhere()) return true;
  for (std::int64_t number = progress_.begun_end() - bucket_count(); number < progress_.begun_end(); ++number)
    if (progress_.stage(number) == Stage::kFinished) return false;
  return true;
}

void TreeReducer::release() {
  assert(waits_for_release() && has_all_sums());
  const std::int64_t end = progress_.begun_end();
  released_steps_ = progress_.step_of(end - 1) + 1;
  for (std::int64_t number = end - bucket_count(); number < end; ++number) {
    if (updates_everywhere()) {
      tell_gathered(number);
    } else {
      unsent_.push_back(number);
    }
  }
}

}  // namespace convoy::comm
