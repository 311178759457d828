#include "convoy/comm/reducer.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "messages.hpp"

namespace convoy::comm {
namespace {

constexpr int kPartTag = 1001;        // a partial sum of a slice, to its owner
constexpr int kValueTag = 2000;       // and up, by bucket: a slice's new values, or its sum, from its owner
constexpr std::int64_t kWindow = 32;  // buckets for which partial sums are received ahead
/// Bytes of values under way while partial sums are to come: what 10 Gbit/s carry between two polls, and
/// more.
constexpr std::int64_t kFewBytes = 1 << 20;
constexpr std::int64_t kCounters = 8;  // a cache line of them before those of buckets

/// Sums of `parts` over a stretch, along the tree.
template <class Merges>
void merge(Wire wire, std::span<float* const> parts, const Merges& merges, const Range& elements) {
  const auto size = static_cast<std::size_t>(elements.size());
  for (const auto& each : merges)
    add_node(wire, {parts[each.left] + elements.begin, size}, parts[each.right] + elements.begin);
}

std::span<float> stretch(float* values, std::int64_t size) {
  return {values, static_cast<std::size_t>(size)};
}

}  // namespace

/// A bucket under way.
struct Reducer::Flight {
  explicit Flight(const Communicator& world)
      : parts(world), values(world), sent_parts(world), sent_values(world) {}
  const Plan* plan = nullptr;
  const float* sum = nullptr;  // MPI's
  Exchange parts;              // partial sums of this rank's slice, from other nodes; or MPI's sum
  Exchange values;             // slices of other nodes' owners that this rank handles
  Exchange sent_parts;
  Exchange sent_values;
  std::int64_t value_bytes = 0;  // under way
  bool is_sent = false;          // this rank's values are, or on their way
  bool is_gathered = false;      // `values` are here
};

Reducer::Reducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
                 const ReducerOptions& options, Finish finish)
    : world_(world),
      node_(Communicator::self()),
      size_(size),
      buckets_(std::move(buckets)),
      options_(options),
      finish_(std::move(finish)),
      done_steps_(buckets_.size()) {
  if (options_.reduction == Reduction::kMpi) {
    assert(options_.wire == Wire::kFloat32);
    options_.memory = NodeMemory::kPrivate;
    options_.updates = Updates::kEverywhere;
  }
  find_nodes(world, options_.memory);
  for (int owner = 0; owner < world.size(); ++owner) {
    if (handler(my_node_, owner) != world.rank()) continue;
    if (node_of(owner) <= my_node_) first_handled_ = handled_.size() + 1;
    handled_.push_back(owner);
    if (is_foreign(owner)) ++foreign_owners_;
  }
  constexpr auto kReal = static_cast<std::int64_t>(sizeof(float));
  shared_values_ = std::make_unique<NodeSegments>(node_, node_.is_root() ? size * kReal : 0);
  values_ = {reinterpret_cast<float*>(shared_values_->of(0).data()), static_cast<std::size_t>(size)};
  shared_counters_ = std::make_unique<NodeSegments>(
      node_, (kCounters + bucket_count()) * static_cast<std::int64_t>(sizeof(std::atomic<std::int64_t>)));
  contributed_by(node_.rank()) = 0;
  for (int bucket = 0; bucket < bucket_count(); ++bucket) gathered_by(node_.rank(), bucket) = 0;
  if (node_.is_root()) std::fill(values_.begin(), values_.end(), 0.0F);
  node_.barrier();
  for (const Range& bucket : buckets_)
    staging_slice_ = std::max(staging_slice_, split(bucket.size(), world.size(), 0).size());
  for (std::int64_t i = 0; i < 2 * bucket_count(); ++i) flights_.emplace_back(world);
  open_.reserve(flights_.size());
  unsent_.reserve(flights_.size());
}

Reducer::~Reducer() = default;

std::atomic<std::int64_t>& Reducer::contributed_by(int mate) const {
  return reinterpret_cast<std::atomic<std::int64_t>*>(shared_counters_->of(mate).data())[0];
}

std::atomic<std::int64_t>& Reducer::gathered_by(int mate, int bucket) const {
  auto* counters = reinterpret_cast<std::atomic<std::int64_t>*>(shared_counters_->of(mate).data());
  return counters[kCounters + bucket];
}

bool Reducer::may_begin() const {
  for (int bucket = 0; bucket < bucket_count(); ++bucket)
    if (!is_done(bucket)) return false;
  return true;
}

Range Reducer::slice(int bucket, int rank) const {
  const Range& all = buckets_[static_cast<std::size_t>(bucket)];
  const Range part = split(all.size(), world_.size(), rank);
  return {all.begin + part.begin, all.begin + part.end};
}

Wire Reducer::wire_of(int bucket) const {
  const bool is_exact = buckets_[static_cast<std::size_t>(bucket)].begin >= options_.exact_from;
  return is_exact ? Wire::kFloat32 : options_.wire;
}

void Reducer::reserve(std::int64_t slots) {
  constexpr std::int64_t kLine = 16;
  stride_ = (size_ + kLine - 1) / kLine * kLine;
  shared_slots_ = std::make_unique<NodeSegments>(
      node_, std::max<std::int64_t>(1, slots) * stride_ * static_cast<std::int64_t>(sizeof(float)));
}

float* Reducer::slot(std::int64_t i) const {
  return reinterpret_cast<float*>(shared_slots_->of(node_.rank()).data()) + i * stride_;
}

std::int64_t Reducer::bytes_of_mates() const {
  std::size_t bytes = 0;
  for (int mate = 0; mate < node_.size(); ++mate)
    if (mate != node_.rank()) bytes += shared_slots_->of(mate).size();
  return static_cast<std::int64_t>(bytes);
}

Reducer::Flight& Reducer::flight(std::int64_t sequence) {
  return flights_[static_cast<std::size_t>(sequence % (2 * bucket_count()))];
}

std::int64_t Reducer::window() const {
  return std::min(kWindow, 2 * bucket_count());
}

float* Reducer::staging(std::int64_t sequence, std::size_t foreign) {
  const std::size_t row = staging_.size() / static_cast<std::size_t>(window());
  return staging_.data() + static_cast<std::size_t>(sequence % window()) * row +
         foreign * static_cast<std::size_t>(staging_slice_);
}

void Reducer::begin(std::int64_t leaves) {
  assert(may_begin());
  const Plan& plan = plans_.at(leaves);
  for (std::int64_t sequence = begun_ * bucket_count(); sequence < (begun_ + 1) * bucket_count();
       ++sequence) {
    Flight& flight = this->flight(sequence);
    flight.plan = &plan;
    flight.is_sent = false;
    flight.is_gathered = false;
  }
  ++begun_;
  poll();
}

void Reducer::contribute() {
  ++contributed_;
  contributed_by(node_.rank()).store(contributed_, std::memory_order_release);
}

void Reducer::poll() {
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

int Reducer::awaited() {
  const auto on_node = [&](int mate) { return node_first_[static_cast<std::size_t>(my_node_)] + mate; };
  if (is_idle() || oldest() == contributed_) return -1;
  Flight& flight = this->flight(oldest());
  if (oldest() == merged_) {
    for (int mate = 0; mate < node_.size(); ++mate)
      if (contributed_by(mate).load(std::memory_order_relaxed) <= merged_) return on_node(mate);
    return -1;
  }
  if (oldest() == finished_) return flight.parts.pending_peer();
  if (!flight.is_gathered) return flight.values.pending_peer();
  const int bucket = bucket_of(oldest());
  for (int mate = 0; mate < node_.size(); ++mate)
    if (gathered_by(mate, bucket).load(std::memory_order_relaxed) <= step_of(oldest())) return on_node(mate);
  const int peer = flight.sent_parts.pending_peer();
  return peer >= 0 ? peer : flight.sent_values.pending_peer();
}

void Reducer::post_receives() {
  if (options_.reduction == Reduction::kMpi) {
    posted_ = begun_ * bucket_count();
    return;
  }
  const int me = world_.rank();
  // What lies in the staging room of a bucket is read until that is finished, sums are sent from it too.
  const std::int64_t free_from = options_.updates == Updates::kEverywhere ? oldest() : finished_;
  const std::int64_t end = std::min(begun_ * bucket_count(), free_from + window());
  for (; posted_ < end; ++posted_) {
    Flight& flight = this->flight(posted_);
    const int bucket = bucket_of(posted_);
    const Wire wire = wire_of(bucket);
    std::size_t foreign = 0;
    for (const Plan::Part& part : flight.plan->parts) {
      if (part.node == my_node_) continue;
      const std::span<float> room = stretch(staging(posted_, foreign++), slice(bucket, me).size());
      flight.parts.receive(packed(wire, room), handler(part.node, me), kPartTag);
    }
    if (options_.updates == Updates::kByOwners) continue;
    for (const int owner : handled_) {
      if (!is_foreign(owner)) continue;
      const std::span<float> room = stretch(staging(posted_, foreign++), slice(bucket, owner).size());
      flight.values.receive(packed(wire, room), owner, kValueTag + bucket);
    }
  }
}

std::int64_t Reducer::send(Exchange& sends, Wire wire, std::span<const float> values, int to, int tag) {
  const std::size_t bytes = values.size() * static_cast<std::size_t>(wire_bytes(wire));
  sends.send(std::as_bytes(values).first(bytes), to, tag);
  bytes_sent_ += static_cast<std::int64_t>(bytes);
  return static_cast<std::int64_t>(bytes);
}

bool Reducer::merge_next() {
  if (merged_ == contributed_) return false;
  for (int mate = 0; mate < node_.size(); ++mate)
    if (contributed_by(mate).load(std::memory_order_acquire) <= merged_) return false;
  Flight& flight = this->flight(merged_);
  options_.reduction == Reduction::kMpi ? give_to_mpi(flight) : merge_and_send(flight);
  ++merged_;
  return true;
}

void Reducer::merge_and_send(Flight& flight) {
  const Plan& plan = *flight.plan;
  const int bucket = bucket_of(merged_);
  const Wire wire = wire_of(bucket);
  for (std::size_t i = 0; i < handled_.size(); ++i) {
    const int owner = handled_[(first_handled_ + i) % handled_.size()];
    const Range elements = slice(bucket, owner);
    merge(wire, plan.mates, plan.node_merges, elements);
    if (!is_foreign(owner)) continue;
    for (const std::size_t whole : plan.complete) {
      const std::span<float> part = stretch(plan.mates[whole] + elements.begin, elements.size());
      pack(wire, part);  // nobody else looks at this slice of it
      send(flight.sent_parts, wire, part, owner, kPartTag);
    }
    if (options_.updates == Updates::kEverywhere) continue;
    // Before the owner can send them; and from here on nobody reads the old ones.
    const std::span<float> values = stretch(values_.data() + elements.begin, elements.size());
    flight.values.receive(std::as_writable_bytes(values), owner, kValueTag + bucket);
  }
}

void Reducer::give_to_mpi(Flight& flight) {
  const Plan& plan = *flight.plan;
  const Range& elements = buckets_[static_cast<std::size_t>(bucket_of(merged_))];
  float* sum = slot(0) + elements.begin;
  if (plan.complete.empty()) {
    std::fill_n(sum, elements.size(), 0.0F);
  } else {
    merge(Wire::kFloat32, plan.mates, plan.node_merges, elements);
    sum = plan.mates[plan.complete.front()] + elements.begin;
    for (const std::size_t i : std::span(plan.complete).subspan(1))
      add_node(Wire::kFloat32, stretch(sum, elements.size()), plan.mates[i] + elements.begin);
  }
  flight.sum = sum;
  flight.parts.add_over_all(stretch(sum, elements.size()));
}

bool Reducer::finish_next() {
  if (finished_ == merged_ || finished_ == posted_) return false;  // no receive, nothing to be complete
  Flight& flight = this->flight(finished_);
  if (!flight.parts.is_complete()) return false;
  if (options_.reduction == Reduction::kMpi) {
    const int bucket = bucket_of(finished_);
    finish_(step_of(finished_), bucket, buckets_[static_cast<std::size_t>(bucket)], flight.sum);
    flight.is_sent = true;
  } else {
    finish_slice(flight);
  }
  open_.push_back(finished_++);
  return true;
}

void Reducer::finish_slice(Flight& flight) {
  const Plan& plan = *flight.plan;
  const int bucket = bucket_of(finished_);
  const Wire wire = wire_of(bucket);
  const Range elements = slice(bucket, world_.rank());
  std::size_t foreign = 0;
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const Plan::Part& part = plan.parts[i];
    if (part.node == my_node_) {
      values_of_parts_[i] = plan.mates[plan.complete[part.index]] + elements.begin;
    } else {
      values_of_parts_[i] = staging(finished_, foreign++);
      unpack(wire, stretch(values_of_parts_[i], elements.size()));
    }
  }
  merge(wire, values_of_parts_, plan.job_merges, {0, elements.size()});
  const std::span<float> sum = stretch(values_of_parts_.front(), elements.size());
  if (elements.size() > 0) finish_(step_of(finished_), bucket, elements, sum.data());
  if (options_.updates == Updates::kEverywhere) {
    pack(wire, sum);
    send_to_nodes(finished_, wire, sum);
  } else {
    unsent_.push_back(finished_);
  }
}

void Reducer::send_to_nodes(std::int64_t sequence, Wire wire, std::span<const float> values) {
  Flight& flight = this->flight(sequence);
  flight.value_bytes = 0;
  for (int step = 1; step < nodes(); ++step) {  // everyone begins with another receiver
    const int to = handler((my_node_ + step) % nodes(), world_.rank());
    flight.value_bytes += send(flight.sent_values, wire, values, to, kValueTag + bucket_of(sequence));
  }
  bytes_under_way_ += flight.value_bytes;
  flight.is_sent = true;
}

bool Reducer::send_values() {
  const bool are_sums_to_come = finished_ % bucket_count() != 0;
  const std::size_t before = unsent_.size();
  while (!unsent_.empty() && !(are_sums_to_come && bytes_under_way_ >= kFewBytes)) {
    const std::int64_t sequence = unsent_.back();
    const Range elements = slice(bucket_of(sequence), world_.rank());
    unsent_.pop_back();
    send_to_nodes(sequence, Wire::kFloat32, stretch(values_.data() + elements.begin, elements.size()));
  }
  return unsent_.size() != before;
}

bool Reducer::gather_and_retire() {
  const std::int64_t before = moves();
  const auto is_done = [&](std::int64_t sequence) {
    Flight& flight = this->flight(sequence);
    if (!flight.is_gathered && flight.values.is_complete()) gather(flight, sequence);
    if (!flight.is_sent || !flight.sent_values.is_complete()) return false;
    bytes_under_way_ -= std::exchange(flight.value_bytes, 0);
    if (!flight.is_gathered || !is_gathered_by_all(sequence) || !flight.sent_parts.is_complete())
      return false;
    const auto bucket = static_cast<std::size_t>(bucket_of(sequence));
    done_steps_[bucket].store(step_of(sequence) + 1, std::memory_order_release);
    done_.fetch_add(1, std::memory_order_release);
    return true;
  };
  std::erase_if(open_, is_done);
  return moves() != before;
}

void Reducer::gather(Flight& flight, std::int64_t sequence) {
  const int bucket = bucket_of(sequence);
  if (options_.updates == Updates::kEverywhere && options_.reduction == Reduction::kTree) {
    std::size_t row = flight.plan->foreign;
    for (const int owner : handled_) {
      if (!is_foreign(owner)) continue;
      const Range elements = slice(bucket, owner);
      const std::span<float> sum = stretch(staging(sequence, row++), elements.size());
      unpack(wire_of(bucket), sum);
      if (elements.size() > 0) finish_(step_of(sequence), bucket, elements, sum.data());
    }
  }
  flight.is_gathered = true;
  ++gathered_;
  gathered_by(node_.rank(), bucket).store(step_of(sequence) + 1, std::memory_order_release);
}

bool Reducer::is_gathered_by_all(std::int64_t sequence) const {
  for (int mate = 0; mate < node_.size(); ++mate)
    if (gathered_by(mate, bucket_of(sequence)).load(std::memory_order_acquire) <= step_of(sequence))
      return false;
  return true;
}

}  // namespace convoy::comm
