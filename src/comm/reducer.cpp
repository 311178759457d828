#include "convoy/comm/reducer.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include "messages.hpp"

namespace convoy::comm {
namespace {

constexpr int kPartTag = 1001;        // a partial sum of a slice, to its owner
constexpr int kValueTag = 1002;       // a slice's new values, from its owner
constexpr std::int64_t kWindow = 32;  // buckets for which receives are posted ahead

void add(float* left, const float* right, std::int64_t size) {
  for (std::int64_t i = 0; i < size; ++i) left[i] += right[i];
}

/// Sums of `parts` over a stretch, along the tree.
template <class Merges>
void merge(std::span<float* const> parts, const Merges& merges, std::int64_t offset, std::int64_t size) {
  for (const auto& each : merges) add(parts[each.left] + offset, parts[each.right] + offset, size);
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
  Exchange parts;   // partial sums of this rank's slice, from other nodes
  Exchange values;  // slices of other nodes' owners that this rank handles
  Exchange sends;
};

Reducer::Reducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets, NodeMemory memory,
                 Finish finish)
    : world_(world),
      node_(Communicator::self()),
      size_(size),
      buckets_(std::move(buckets)),
      finish_(std::move(finish)) {
  find_nodes(world, memory);
  for (int owner = 0; owner < world.size(); ++owner)
    if (handler(my_node_, owner) == world.rank()) handled_.push_back(owner);
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

Reducer::Counters& Reducer::counters(int mate) const {
  return *std::launder(reinterpret_cast<Counters*>(shared_counters_->of(mate).data()));
}

Range Reducer::slice(int bucket, int rank) const {
  const Range& all = buckets_[static_cast<std::size_t>(bucket)];
  const Range part = split(all.size(), world_.size(), rank);
  return {all.begin + part.begin, all.begin + part.end};
}

void Reducer::reserve(std::int64_t slots) {
  constexpr std::int64_t kLine = 16;
  stride_ = (size_ + kLine - 1) / kLine * kLine;
  shared_slots_ =
      std::make_unique<NodeSegments>(node_, slots * stride_ * static_cast<std::int64_t>(sizeof(float)));
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
  const std::size_t staged =
      static_cast<std::size_t>(std::min(kWindow, 2 * bucket_count()) * staging_slice_) * plan.foreign;
  assert(is_idle());
  staging_.resize(std::max(staging_.size(), staged));
}

double Reducer::nodes_sent(std::int64_t leaves) const {
  std::size_t sum = 0;
  for (int node = 0; node < nodes(); ++node) sum += maximal_nodes(node_block(leaves, node), leaves).size();
  return static_cast<double>(sum) / nodes();
}

Reducer::Flight& Reducer::flight(std::int64_t sequence) {
  return flights_[static_cast<std::size_t>(sequence % (2 * bucket_count()))];
}

float* Reducer::staging(std::int64_t sequence, std::size_t foreign) {
  const auto window = static_cast<std::size_t>(std::min(kWindow, 2 * bucket_count()));
  const std::size_t row = staging_.size() / window;
  return staging_.data() + static_cast<std::size_t>(sequence) % window * row +
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
  const std::int64_t end =
      std::min(begun_ * bucket_count(), finished_ + std::min(kWindow, 2 * bucket_count()));
  for (; posted_ < end; ++posted_) {
    Flight& flight = this->flight(posted_);
    const int bucket = bucket_of(posted_);
    const auto size = static_cast<std::size_t>(slice(bucket, me).size());
    std::size_t foreign = 0;
    for (const Plan::Part& part : flight.plan->parts) {
      if (part.node == my_node_) continue;
      flight.parts.receive({staging(posted_, foreign++), size}, handler(part.node, me), kPartTag);
    }
    for (const int owner : handled_) {
      if (node_of(owner) == my_node_) continue;
      const Range elements = slice(bucket, owner);
      flight.values.receive(values_.subspan(static_cast<std::size_t>(elements.begin),
                                            static_cast<std::size_t>(elements.size())),
                            owner, kValueTag);
    }
  }
}

void Reducer::send(Flight& flight, const float* values, std::size_t size, int to, int tag) {
  flight.sends.send({values, size}, to, tag);
  bytes_sent_ += static_cast<std::int64_t>(size * sizeof(float));
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
  const Plan& plan = *flight.plan;
  for (const int owner : handled_) {
    const Range elements = slice(bucket_of(merged_), owner);
    merge(plan.mates, plan.node_merges, elements.begin, elements.size());
    if (node_of(owner) == my_node_) continue;
    for (const std::size_t i : plan.complete)
      send(flight, plan.mates[i] + elements.begin, static_cast<std::size_t>(elements.size()), owner,
           kPartTag);
  }
  ++merged_;
  return true;
}

bool Reducer::finish_next() {
  if (finished_ == merged_) return false;
  Flight& flight = this->flight(finished_);
  if (!flight.parts.is_complete()) {
    waits_for_.store(flight.parts.pending_peer(), std::memory_order_relaxed);
    return false;
  }
  const Plan& plan = *flight.plan;
  const int bucket = bucket_of(finished_);
  const Range elements = slice(bucket, world_.rank());
  std::size_t foreign = 0;
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const Plan::Part& part = plan.parts[i];
    values_of_parts_[i] = part.node == my_node_ ? plan.mates[plan.complete[part.index]] + elements.begin
                                                : staging(finished_, foreign++);
  }
  merge(values_of_parts_, plan.job_merges, 0, elements.size());
  if (elements.size() > 0) finish_(finished_ / bucket_count(), bucket, elements, values_of_parts_.front());
  for (int step = 1; step < nodes(); ++step) {  // everyone begins with another receiver
    const int node = (my_node_ + step) % nodes();
    send(flight, values_.data() + elements.begin, static_cast<std::size_t>(elements.size()),
         handler(node, world_.rank()), kValueTag);
  }
  ++finished_;
  return true;
}

bool Reducer::gather_next() {
  if (gathered_ == finished_) return false;
  Flight& flight = this->flight(gathered_);
  if (!flight.values.is_complete()) {
    waits_for_.store(flight.values.pending_peer(), std::memory_order_relaxed);
    return false;
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
