#pragma once
// Sums gradients over all ranks, bucket by bucket during the backward pass, and distributes the values
// computed from the sums. Two strategies implement one interface (src/comm). TreeReducer adds along the fixed
// tree (comm/tree.hpp): the same bits for any number of ranks. MpiReducer sums whole buckets with
// MPI_Iallreduce: MPI chooses the order of additions.
//
// The flat vector is divided into buckets, in the order in which backward completes them. Each bucket is
// divided into one slice per rank; the rank owns its slice. All ranks sum the buckets in the same order.
//
// Use: call plan() once, then run steps one after the other. A step is begin(), one contribute() per bucket,
// and repeated poll(). Only begin() and poll() make progress. The next step may begin before the messages of
// this step have arrived; at most two steps are in progress.
//
// One thread of a rank makes all calls, unless a comment below says otherwise.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/comm/wire.hpp"

namespace convoy::comm {

/// Whether ranks of one node share memory, or exchange messages as if on different nodes.
enum class NodeMemory { kShared, kPrivate };
/// The order of additions: the fixed tree, or MPI's order, which depends on the ranks and their number.
enum class Reduction { kTree, kMpi };
/// Which ranks process a slice's sum: only its owner, or one rank of every node.
enum class Updates { kByOwners, kEverywhere };

/// When the values computed from a sum are assigned.
enum class Assignment {
  kInFinish,       ///< by Finish, slice by slice
  kBeforeRelease,  ///< by the caller, after Finish has received all sums of the step; see release()
};

struct ReducerOptions {
  Reduction reduction = Reduction::kTree;
  Wire wire = Wire::kFloat32;  ///< with kMpi only float32
  /// Buckets that begin at this element or later use float32 regardless of `wire`.
  std::int64_t exact_from = std::numeric_limits<std::int64_t>::max();
  // For kTree only: with kMpi every rank holds and updates all values.
  NodeMemory memory = NodeMemory::kShared;
  Updates updates = Updates::kByOwners;
  /// Slice boundaries are multiples of `grain` elements of the vector.
  std::int64_t grain = 1;
  Assignment assignment = Assignment::kInFinish;
};

class Reducer {
 public:
  /// Receives the sum over `elements` of the vector, all in bucket `bucket`. Assigns values()[elements], or
  /// keeps a copy of the sum (see Assignment). `step` counts from 0. Called within begin() and poll().
  using Finish = std::function<void(std::int64_t step, int bucket, const Range& elements, const float* sum)>;

  /// For steps of `leaves` micro-batches: the gradient buffers (slots) of this rank's maximal nodes, in
  /// order.
  struct Layout {
    std::int64_t leaves = 0;
    std::vector<std::int64_t> slots;
  };

  virtual ~Reducer() = default;

  /// The vector, [size], equal on all ranks; one copy per node. Initially zero. In a step, an element may be
  /// accessed only by `Finish` and by messages from the contribution of its bucket until the bucket is done.
  [[nodiscard]] virtual std::span<float> values() const = 0;
  [[nodiscard]] virtual std::int64_t bucket_count() const = 0;
  /// Rank `rank`'s slice of a bucket, as elements of the vector.
  [[nodiscard]] virtual Range slice(int bucket, int rank) const = 0;
  /// The ranks for whose slices this rank calls Finish, ascending: it needs the optimizer state of these
  /// slices.
  [[nodiscard]] virtual std::vector<int> finishes() const = 0;
  /// Number of nodes; number of ranks if memory is not shared.
  [[nodiscard]] virtual int nodes() const = 0;
  /// PartialSums (f) of a step of `leaves` micro-batches.
  [[nodiscard]] virtual PartialSums partial_sums(std::int64_t leaves) const = 0;

  /// Collective over the node, once. Allocates `slots` partial sums ([size] each) of this rank and everything
  /// that steps of these layouts need, so that steps allocate nothing. Preconditions: not called before;
  /// `layouts` have distinct numbers of leaves; each layout has one slot index below `slots` for each maximal
  /// node of this rank.
  virtual void plan(std::int64_t slots, const std::vector<Layout>& layouts) = 0;
  /// Partial sum i of this rank, [size], 64-byte aligned. Also used as working memory. Valid after plan().
  [[nodiscard]] virtual float* slot(std::int64_t i) const = 0;
  /// Bytes of the partial sums of the node's other ranks, which this rank maps and adds to.
  [[nodiscard]] virtual std::int64_t bytes_of_node_peers() const = 0;

  /// Begins a step of `leaves` micro-batches. Preconditions: `leaves` was planned; all buckets of the
  /// previous step are contributed; may_begin().
  virtual void begin(std::int64_t leaves) = 0;
  /// This rank's maximal nodes of `bucket` are complete in its slots (any thread may have written them,
  /// before the call). Buckets may be contributed in any order, but are summed in order. Preconditions: a
  /// step has begun; `bucket` was not contributed in this step; is_done(bucket) was true before its slots
  /// were written (a rank without micro-batches in this step writes none and need not wait).
  virtual void contribute(int bucket) = 0;
  /// Makes all possible progress. Does not block.
  virtual void poll() = 0;

  /// With Assignment::kBeforeRelease: whether Finish has received all its sums of the latest step.
  [[nodiscard]] virtual bool has_all_sums() const = 0;
  /// With Assignment::kBeforeRelease: the caller has assigned all values() for which Finish received sums in
  /// the latest step; sends these values. Preconditions: has_all_sums(); once per step, before the next step
  /// begins.
  virtual void release() = 0;

  /// Whether a bucket of the step before the latest is done (true if there was no such step): its values are
  /// assigned and its slots are free. Any thread may call while no step begins.
  [[nodiscard]] virtual bool is_done(int bucket) const = 0;
  /// Whether all buckets of the step before the latest are done. Any thread may call while no step begins.
  [[nodiscard]] virtual bool may_begin() const = 0;
  /// Whether all buckets of all steps are done. Any thread may call while no step begins.
  [[nodiscard]] virtual bool is_idle() const = 0;

  /// Number of stages that buckets have completed so far: increases while there is progress.
  [[nodiscard]] virtual std::int64_t moves() const = 0;
  /// A rank for which the oldest unfinished bucket waits; −1: none or unknown. Any thread may call.
  [[nodiscard]] virtual int waits_for() const = 0;
  /// Bytes this rank has sent to other ranks since construction, without the traffic of MPI's collectives.
  [[nodiscard]] virtual std::int64_t bytes_sent() const = 0;
};

/// Collective over `world`. Creates the strategy that `options` select. `buckets` are disjoint and cover
/// vectors of `size` elements. Precondition: the options are compatible with each other.
[[nodiscard]] std::unique_ptr<Reducer> make_reducer(const Communicator& world, std::int64_t size,
                                                    std::vector<Range> buckets, const ReducerOptions& options,
                                                    Reducer::Finish finish);

}  // namespace convoy::comm
