#include "convoy/comm/reducer.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "messages.hpp"

namespace convoy::comm {
namespace {

constexpr int kPartTag = 1001;        // a partial sum of a slice, to its owner
constexpr int kValueTag = 1002;       // a slice's new values, or its sum, from its owner
constexpr std::int64_t kWindow = 32;  // buckets for which receives are posted ahead

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

/// What a rank tells the others of its node, in shared memory.
struct Reducer::Counters {
  alignas(64) std::atomic<std::int64_t> contributed{0};
  alignas(64) std::atomic<std::int64_t> gathered{0};  // buckets whose slices this rank handles are all here
};

/// A bucket under way.
struct Reducer::Flight {
  explicit Flight(const Communicator& world) : parts(world), values(world), sends(world) {}
  const Plan* plan = nullptr;
  const float* sum = nullptr;  // MPI's
  Exchange parts;              // partial sums of this rank's slice, from other nodes; or MPI's sum
  Exchange values;             // slices of other nodes' owners that this rank handles
  Exchange sends;
};

Reducer::Reducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
                 const ReducerOptions& options, Finish finish)
    : world_(world),
      node_(Communicator::self()),
      size_(size),
      buckets_(std::move(buckets)),
      options_(options),
      finish_(std::move(finish)) {
  if (options_.reduction == Reduction::kMpi) {
    assert(options_.wire == Wire::kFloat32);
    options_.memory = NodeMemory::kPrivate;
    options_.updates = Updates::kEverywhere;
  }
  find_nodes(world, options_.memory);
  for (int owner = 0; owner < world.size(); ++owner) {
    if (handler(my_node_, owner) != world.rank()) continue;
    handled_.push_back(owner);
    if (is_foreign(owner)) ++foreign_owners_;
  }
  constexpr auto kReal = static_cast<std::int64_t>(sizeof(float));
  shared_values_ = std::make_unique<NodeSegments>(node_, node_.is_root() ? size * kReal : 0);
  values_ = {reinterpret_cast<float*>(shared_values_->of(0).data()), static_cast<std::size_t>(size)};
  shared_counters_ = std::make_unique<NodeSegments>(node_, static_cast<std::int64_t>(sizeof(Counters)));
  new (shared_counters_->of(node_.rank()).data()) Counters;
  if (node_.is_root()) std::fill(values_.begin(), values_.end(), 0.0F);
  node_.barrier();
  for (const Range& bucket : buckets_)
    staging_slice_ = std::max(staging_slice_, split(bucket.size(), world.size(), 0).size());
  for (std::int64_t i = 0; i < 2 * bucket_count(); ++i) flights_.emplace_back(world);
}

Reducer::~Reducer() = default;

Reducer::Counters& Reducer::counters(int mate) const {
  return *std::launder(reinterpret_cast<Counters*>(shared_counters_->of(mate).data()));
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
  assert(done_.load() >= (begun_ - 1) * bucket_count());
  const Plan& plan = plans_.at(leaves);
  for (std::int64_t sequence = begun_ * bucket_count(); sequence < (begun_ + 1) * bucket_count(); ++sequence)
    flight(sequence).plan = &plan;
  ++begun_;
  poll();
}

void Reducer::contribute() {
  ++contributed_;
  counters(node_.rank()).contributed.store(contributed_, std::memory_order_release);
}

void Reducer::poll() {
  bool moves = true;
  while (moves && !is_idle()) {
    post_receives();
    moves = merge_next();
    moves = finish_next() || moves;
    moves = gather_next() || moves;
    moves = retire_next() || moves;
  }
  if (is_idle()) waits_for_.store(-1, std::memory_order_relaxed);
}

void Reducer::post_receives() {
  const int me = world_.rank();
  // What lies in the staging room of a bucket is read, and sent from, until that is done.
  const std::int64_t end =
      std::min(begun_ * bucket_count(), done_.load(std::memory_order_relaxed) + window());
  for (; posted_ < end; ++posted_) {
    if (options_.reduction == Reduction::kMpi) continue;
    Flight& flight = this->flight(posted_);
    const int bucket = bucket_of(posted_);
    const Wire wire = wire_of(bucket);
    std::size_t foreign = 0;
    for (const Plan::Part& part : flight.plan->parts) {
      if (part.node == my_node_) continue;
      const std::span<float> room = stretch(staging(posted_, foreign++), slice(bucket, me).size());
      flight.parts.receive(packed(wire, room), handler(part.node, me), kPartTag);
    }
    for (const int owner : handled_) {
      if (!is_foreign(owner)) continue;
      const Range elements = slice(bucket, owner);
      if (options_.updates == Updates::kEverywhere) {
        const std::span<float> room = stretch(staging(posted_, foreign++), elements.size());
        flight.values.receive(packed(wire, room), owner, kValueTag);
      } else {
        const std::span<float> values = stretch(values_.data() + elements.begin, elements.size());
        flight.values.receive(std::as_writable_bytes(values), owner, kValueTag);
      }
    }
  }
}

void Reducer::send(Flight& flight, Wire wire, std::span<const float> values, int to, int tag) {
  const std::size_t bytes = values.size() * static_cast<std::size_t>(wire_bytes(wire));
  flight.sends.send(std::as_bytes(values).first(bytes), to, tag);
  bytes_sent_ += static_cast<std::int64_t>(bytes);
}

bool Reducer::merge_next() {
  if (merged_ == contributed_) return false;
  for (int mate = 0; mate < node_.size(); ++mate) {
    if (counters(mate).contributed.load(std::memory_order_acquire) > merged_) continue;
    if (merged_ == done_.load(std::memory_order_relaxed))
      waits_for_.store(node_first_[static_cast<std::size_t>(my_node_)] + mate, std::memory_order_relaxed);
    return false;
  }
  Flight& flight = this->flight(merged_);
  options_.reduction == Reduction::kMpi ? give_to_mpi(flight) : merge_and_send(flight);
  ++merged_;
  return true;
}

void Reducer::merge_and_send(Flight& flight) {
  const Plan& plan = *flight.plan;
  const int bucket = bucket_of(merged_);
  const Wire wire = wire_of(bucket);
  for (const int owner : handled_) {
    const Range elements = slice(bucket, owner);
    merge(wire, plan.mates, plan.node_merges, elements);
    if (!is_foreign(owner)) continue;
    for (const std::size_t i : plan.complete) {
      const std::span<float> part = stretch(plan.mates[i] + elements.begin, elements.size());
      pack(wire, part);  // nobody else looks at this slice of it
      send(flight, wire, part, owner, kPartTag);
    }
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
  if (!flight.parts.is_complete()) {
    waits_for_.store(flight.parts.pending_peer(), std::memory_order_relaxed);
    return false;
  }
  if (options_.reduction == Reduction::kMpi) {
    const int bucket = bucket_of(finished_);
    finish_(finished_ / bucket_count(), bucket, buckets_[static_cast<std::size_t>(bucket)], flight.sum);
  } else {
    finish_slice(flight);
  }
  ++finished_;
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
  if (elements.size() > 0) finish_(finished_ / bucket_count(), bucket, elements, sum.data());
  const bool sends_sum = options_.updates == Updates::kEverywhere;
  if (sends_sum) pack(wire, sum);
  for (int step = 1; step < nodes(); ++step) {  // everyone begins with another receiver
    const int to = handler((my_node_ + step) % nodes(), world_.rank());
    if (sends_sum) {
      send(flight, wire, sum, to, kValueTag);
    } else {
      send(flight, Wire::kFloat32, stretch(values_.data() + elements.begin, elements.size()), to, kValueTag);
    }
  }
}

bool Reducer::gather_next() {
  if (gathered_ == finished_) return false;
  Flight& flight = this->flight(gathered_);
  if (!flight.values.is_complete()) {
    waits_for_.store(flight.values.pending_peer(), std::memory_order_relaxed);
    return false;
  }
  if (options_.updates == Updates::kEverywhere && foreign_owners_ > 0 &&
      options_.reduction == Reduction::kTree) {
    const int bucket = bucket_of(gathered_);
    std::size_t row = flight.plan->foreign;
    for (const int owner : handled_) {
      if (!is_foreign(owner)) continue;
      const Range elements = slice(bucket, owner);
      const std::span<float> sum = stretch(staging(gathered_, row++), elements.size());
      unpack(wire_of(bucket), sum);
      if (elements.size() > 0) finish_(gathered_ / bucket_count(), bucket, elements, sum.data());
    }
  }
  counters(node_.rank()).gathered.store(++gathered_, std::memory_order_release);
  return true;
}

bool Reducer::retire_next() {
  const std::int64_t next = done_.load(std::memory_order_relaxed);
  if (next == gathered_) return false;
  for (int mate = 0; mate < node_.size(); ++mate) {
    if (counters(mate).gathered.load(std::memory_order_acquire) > next) continue;
    waits_for_.store(node_first_[static_cast<std::size_t>(my_node_)] + mate, std::memory_order_relaxed);
    return false;
  }
  Flight& flight = this->flight(next);
  if (!flight.sends.is_complete()) {
    waits_for_.store(flight.sends.pending_peer(), std::memory_order_relaxed);
    return false;
  }
  done_.store(next + 1, std::memory_order_release);
  return true;
}

}  // namespace convoy::comm
