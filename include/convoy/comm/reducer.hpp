#pragma once
// The sum of gradients over all ranks along the fixed tree (comm/tree.hpp), bucket by bucket while the
// backward pass still runs, whatever the number of ranks, and the way back of what is made of it.
//
// The flat vector is cut into buckets, in the order in which backward completes them; every bucket into as
// many slices as there are ranks, each owned by one. A bucket goes through four stages; buckets reach the
// first three in order, the same on all ranks, and the last one in any:
//   contributed  this rank's maximal nodes of it are there;
//   merged       so are those of all ranks of the node; for each slice one of them, its handler (on the
//                owner's node the owner), adds what is complete along the tree, in shared memory, and sends
//                the rest to the owner;
//   finished     the owner has added what came along the tree and handed the sum on (to the optimizer), which
//                assigns the slice of `values`; that goes to the slice's handler on every other node;
//   done         all slices of the bucket have come to this node.
// What backward completes last, the next forward pass needs first. So values leave in the order opposite to
// their sums, and few at a time while partial sums are still to come, which must not queue behind them.
//
// With f nodes of the tree a host (or a rank, where memory is not shared) on average, and N of them, a host
// sends (f + 1)·(N − 1)/N times the vector. Messages are sent point to point, so that it is known who is
// missing.
//
// Where not owners alone update (Updates::kEverywhere), the sum goes round in place of the values, and each
// slice's handlers hand it on, one a node. With Reduction::kMpi MPI adds (MPI_Iallreduce) and every rank
// hands on all of the sum, in memory of its own; it is merged when this rank's share is, finished when MPI
// is.
//
// One thread of a rank makes all calls, unless a line says otherwise. Stages move on in poll() alone.

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/comm/wire.hpp"

namespace convoy::comm {

class Exchange;

/// Whether ranks of one node work in each other's memory, or send each other messages as if they were not.
enum class NodeMemory { kShared, kPrivate };
/// Who adds, and in which order: the fixed tree, or MPI, whose order depends on the ranks and their number.
enum class Reduction { kTree, kMpi };
/// Who works on a slice's sum: its owner, or somebody of every node.
enum class Updates { kByOwners, kEverywhere };

struct ReducerOptions {
  NodeMemory memory = NodeMemory::kShared;
  Reduction reduction =
      Reduction::kTree;  ///< kMpi: `memory` is private, `updates` everywhere, the wire float32
  Updates updates = Updates::kByOwners;
  Wire wire = Wire::kFloat32;
  /// Buckets that begin here or later are float32 whatever the wire.
  std::int64_t exact_from = std::numeric_limits<std::int64_t>::max();
};

class Reducer {
 public:
  /// What is done with the sum over `elements` of the vector, all of bucket `bucket`: it assigns
  /// values()[elements]. `step` counts from 0. Called within poll().
  using Finish = std::function<void(std::int64_t step, int bucket, const Range& elements, const float* sum)>;

  /// Collective over `world`. `buckets` are disjoint and cover vectors of `size` elements.
  Reducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
          const ReducerOptions& options, Finish finish);
  ~Reducer();

  /// The vector that all ranks hold alike, [size]: one copy a node. Zero at first. In a step every element
  /// belongs to `Finish` and to messages from the contribution of its bucket until that is done.
  [[nodiscard]] std::span<float> values() const { return values_; }
  /// A rank's slice of a bucket, by elements of the vector.
  [[nodiscard]] Range slice(int bucket, int rank) const;
  /// Ranks for whose slices this rank calls Finish, rising: the stretches of optimizer state it needs.
  [[nodiscard]] std::vector<int> finishes() const;

  /// Collective over the node: room for so many partial sums ([size] each) of this rank.
  void reserve(std::int64_t slots);
  [[nodiscard]] float* slot(std::int64_t i) const;

  /// Collective over the node: how steps of `leaves` go. `slots` says where this rank's maximal nodes of them
  /// will lie, in order; they are used as working memory. Allocates; steps do not.
  void plan(std::int64_t leaves, const std::vector<std::int64_t>& slots);

  /// A step of so many leaves, planned before, once may_begin().
  void begin(std::int64_t leaves);
  /// The step's next bucket lies complete in this rank's slots (written by whatever threads, before).
  void contribute();
  /// Moves everything on that can be; does not block.
  void poll();
  /// Whether a bucket of the step before the latest is done (or there was none): then its values are there,
  /// and its slots free. Any thread, while no step is begun.
  [[nodiscard]] bool is_done(int bucket) const {
    return done_steps_[static_cast<std::size_t>(bucket)].load(std::memory_order_acquire) >= begun_ - 1;
  }
  /// Whether all of the step before the latest is done. Any thread, while no step is begun.
  [[nodiscard]] bool may_begin() const;
  /// Whether all is done that was begun.
  [[nodiscard]] bool is_idle() const {
    return done_.load(std::memory_order_acquire) == begun_ * bucket_count();
  }

  /// Bytes of the partial sums of the node's other ranks, which this rank adds to and so holds too.
  [[nodiscard]] std::int64_t bytes_of_mates() const;
  /// Stages that buckets have gone through so far: it grows while something moves.
  [[nodiscard]] std::int64_t moves() const {
    return merged_ + finished_ + gathered_ + done_.load(std::memory_order_relaxed);
  }
  /// A rank that the oldest unfinished bucket waits for, −1: none, or not known. Any thread.
  [[nodiscard]] int waits_for() const { return waits_for_.load(std::memory_order_relaxed); }
  /// Bytes this rank has sent to other ranks since construction.
  [[nodiscard]] std::int64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] std::int64_t bucket_count() const { return static_cast<std::int64_t>(buckets_.size()); }
  /// Hosts, or ranks where memory is not shared.
  [[nodiscard]] int nodes() const { return static_cast<int>(node_first_.size()) - 1; }
  /// f of steps of `leaves`.
  [[nodiscard]] PartialSums partial_sums(std::int64_t leaves) const;

 private:
  struct Merge {
    std::size_t left = 0;  ///< left += right
    std::size_t right = 0;
  };
  /// For one number of leaves.
  struct Plan {
    std::vector<float*> mates;  ///< values of the maximal nodes of this node's ranks, in leaf order
    std::vector<Merge> node_merges;
    std::vector<std::size_t> complete;  ///< of `mates`: what is left, the node's own maximal nodes
    struct Part {
      int node = 0;
      std::size_t index = 0;  ///< in `complete`, or among what that node sends
    };
    std::vector<Part> parts;  ///< of the job, in leaf order
    std::vector<Merge> job_merges;
    std::size_t foreign = 0;  ///< parts of other nodes
  };
  struct Flight;

  void find_nodes(const Communicator& world, NodeMemory memory);
  [[nodiscard]] Wire wire_of(int bucket) const;
  [[nodiscard]] bool is_foreign(int owner) const { return node_of(owner) != my_node_; }
  [[nodiscard]] Range node_block(std::int64_t leaves, int node) const;
  [[nodiscard]] int node_of(int rank) const;
  /// The rank of `node` that handles what belongs to `owner`.
  [[nodiscard]] int handler(int node, int owner) const;
  /// In shared memory: how many buckets a rank of this node has contributed; and of each bucket, for how many
  /// steps the slices that it handles are here.
  [[nodiscard]] std::atomic<std::int64_t>& contributed_by(int mate) const;
  [[nodiscard]] std::atomic<std::int64_t>& gathered_by(int mate, int bucket) const;
  [[nodiscard]] std::int64_t step_of(std::int64_t sequence) const { return sequence / bucket_count(); }
  [[nodiscard]] int bucket_of(std::int64_t sequence) const {
    return static_cast<int>(sequence % bucket_count());
  }
  Flight& flight(std::int64_t sequence);
  /// Room for a slice from another node: its part number `foreign`, or behind those, sums.
  float* staging(std::int64_t sequence, std::size_t foreign);
  [[nodiscard]] std::int64_t window() const;
  void post_receives();
  bool merge_next();
  bool finish_next();
  bool send_values();
  bool gather_and_retire();
  void gather(Flight& flight, std::int64_t sequence);
  [[nodiscard]] bool is_gathered_by_all(std::int64_t sequence) const;
  [[nodiscard]] std::int64_t oldest() const { return open_.empty() ? finished_ : open_.front(); }
  [[nodiscard]] int awaited();
  void merge_and_send(Flight& flight);
  void give_to_mpi(Flight& flight);
  void finish_slice(Flight& flight);
  void send_to_nodes(std::int64_t sequence, Wire wire, std::span<const float> values);
  std::int64_t send(Exchange& sends, Wire wire, std::span<const float> values, int to, int tag);

  Communicator world_;
  Communicator node_;
  std::int64_t size_;
  std::vector<Range> buckets_;
  ReducerOptions options_;
  Finish finish_;
  std::vector<int> node_first_;  // first rank of each node, and the number of ranks
  int my_node_ = 0;
  std::vector<int> handled_;        // owners whose slices this rank handles, itself among them
  std::size_t foreign_owners_ = 0;  // of handled_
  std::size_t first_handled_ = 0;   // the first of a later node: everyone begins with another receiver
  std::unique_ptr<NodeSegments> shared_values_;
  std::unique_ptr<NodeSegments> shared_counters_;
  std::unique_ptr<NodeSegments> shared_slots_;
  std::span<float> values_;
  std::int64_t stride_ = 0;  // of slots
  std::map<std::int64_t, Plan> plans_;

  // Buckets are numbered on through all steps. finished ≤ merged ≤ contributed.
  std::int64_t begun_ = 0;  // steps
  std::int64_t posted_ = 0;
  std::int64_t contributed_ = 0;
  std::int64_t merged_ = 0;
  std::int64_t finished_ = 0;
  std::vector<std::int64_t> open_;    // finished, not done
  std::vector<std::int64_t> unsent_;  // of those, whose values this rank has yet to send
  std::int64_t bytes_under_way_ = 0;  // of values sent
  std::int64_t gathered_ = 0;         // how many
  std::atomic<std::int64_t> done_{0};
  std::vector<std::atomic<std::int64_t>> done_steps_;  // by bucket
  std::vector<Flight> flights_;
  std::vector<float> staging_;
  std::int64_t staging_slice_ = 0;
  std::vector<float*> values_of_parts_;
  std::atomic<int> waits_for_{-1};
  std::int64_t bytes_sent_ = 0;
};

}  // namespace convoy::comm
