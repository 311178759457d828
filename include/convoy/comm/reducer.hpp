#pragma once
// The sum of gradients over all ranks, bucket by bucket while the backward pass still runs, and the way back
// of what is made of it. Two strategies behind one interface (src/comm): TreeReducer adds along the fixed
// tree (comm/tree.hpp), with the same bits for any number of ranks; MpiReducer leaves the sum of whole
// buckets to MPI_Iallreduce, whose order of additions is MPI's own.
//
// The flat vector is cut into buckets, in the order in which backward completes them; every bucket into as
// many slices as there are ranks, each owned by one. Buckets are summed in order, the same on all ranks.
//
// How it is used: plan() once; then steps, one after the other. A step is begin(), one contribute() for each
// bucket, and poll() over and over: nothing moves but in begin() and poll(). The next step may begin before
// the messages of this one have come; two steps are under way at most.
//
// One thread of a rank makes all calls, unless a line says otherwise.

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

/// Whether ranks of one node work in each other's memory, or send each other messages as if they were not.
enum class NodeMemory { kShared, kPrivate };
/// Who adds, and in which order: the fixed tree, or MPI, whose order depends on the ranks and their number.
enum class Reduction { kTree, kMpi };
/// Who works on a slice's sum: its owner, or somebody of every node.
enum class Updates { kByOwners, kEverywhere };

/// When the values that are made of a sum are assigned.
enum class Assignment {
  kInFinish,       ///< by Finish, slice by slice
  kBeforeRelease,  ///< by the caller, once Finish has had all sums of the step; see release()
};

struct ReducerOptions {
  Reduction reduction = Reduction::kTree;
  Wire wire = Wire::kFloat32;  ///< kMpi: float32 alone
  /// Buckets that begin here or later are float32 whatever the wire.
  std::int64_t exact_from = std::numeric_limits<std::int64_t>::max();
  // Of kTree alone: with kMpi every rank holds and updates all values.
  NodeMemory memory = NodeMemory::kShared;
  Updates updates = Updates::kByOwners;
  /// Slices are cut at multiples of so many elements of the vector.
  std::int64_t grain = 1;
  Assignment assignment = Assignment::kInFinish;
};

class Reducer {
 public:
  /// What is done with the sum over `elements` of the vector, all of bucket `bucket`: it assigns
  /// values()[elements], or keeps a copy of the sum (Assignment). `step` counts from 0. Called within begin()
  /// and poll().
  using Finish = std::function<void(std::int64_t step, int bucket, const Range& elements, const float* sum)>;

  /// How steps of `leaves` micro-batches go: in which of its slots this rank's maximal nodes lie, in order.
  struct Layout {
    std::int64_t leaves = 0;
    std::vector<std::int64_t> slots;
  };

  virtual ~Reducer() = default;

  /// The vector that all ranks hold alike, [size]: one copy a node. Zero at first. In a step every element
  /// belongs to `Finish` and to messages from the contribution of its bucket until that is done.
  [[nodiscard]] virtual std::span<float> values() const = 0;
  [[nodiscard]] virtual std::int64_t bucket_count() const = 0;
  /// A rank's slice of a bucket, by elements of the vector.
  [[nodiscard]] virtual Range slice(int bucket, int rank) const = 0;
  /// Ranks for whose slices this rank calls Finish, rising: the stretches of optimizer state it needs.
  [[nodiscard]] virtual std::vector<int> finishes() const = 0;
  /// Hosts, or ranks where memory is not shared.
  [[nodiscard]] virtual int nodes() const = 0;
  /// f of steps of `leaves`.
  [[nodiscard]] virtual PartialSums partial_sums(std::int64_t leaves) const = 0;

  /// Collective over the node, once: room for so many partial sums ([size] each) of this rank, and all that
  /// steps of these layouts need, so that steps allocate nothing. Preconditions: not called before; each
  /// number of leaves comes once; a layout names a slot below `slots` for each of this rank's nodes.
  virtual void plan(std::int64_t slots, const std::vector<Layout>& layouts) = 0;
  /// Partial sum i of this rank, [size], 64-byte aligned; used as working memory too. After plan().
  [[nodiscard]] virtual float* slot(std::int64_t i) const = 0;
  /// Bytes of the partial sums of the node's other ranks, which this rank adds to and so holds too.
  [[nodiscard]] virtual std::int64_t bytes_of_node_peers() const = 0;

  /// A step of so many leaves. Preconditions: it is planned; the step before is contributed whole;
  /// may_begin().
  virtual void begin(std::int64_t leaves) = 0;
  /// This rank's nodes of `bucket` lie complete in its slots (written by whatever threads, before). Buckets
  /// may come in any order; those before it in the step are summed first. Preconditions: a step is begun; its
  /// `bucket` was not contributed before; is_done(bucket) since before its slots were written (a rank without
  /// leaves in this step writes none, and need not wait).
  virtual void contribute(int bucket) = 0;
  /// Moves everything on that can be; does not block.
  virtual void poll() = 0;

  /// With Assignment::kBeforeRelease: whether Finish has had all its sums of the latest step.
  [[nodiscard]] virtual bool has_all_sums() const = 0;
  /// With Assignment::kBeforeRelease: the caller has assigned values() wherever Finish had sums of the latest
  /// step; they go on their way. Preconditions: has_all_sums(); once a step, before the next begins.
  virtual void release() = 0;

  /// Whether a bucket of the step before the latest is done (or there was none): then its values are there,
  /// and its slots free. Any thread, while no step is begun.
  [[nodiscard]] virtual bool is_done(int bucket) const = 0;
  /// Whether all of the step before the latest is done. Any thread, while no step is begun.
  [[nodiscard]] virtual bool may_begin() const = 0;
  /// Whether all is done that was begun. Any thread, while no step is begun.
  [[nodiscard]] virtual bool is_idle() const = 0;

  /// Stages that buckets have gone through so far: it grows while something moves.
  [[nodiscard]] virtual std::int64_t moves() const = 0;
  /// A rank that the oldest unfinished bucket waits for, −1: none, or not known. Any thread.
  [[nodiscard]] virtual int waits_for() const = 0;
  /// Bytes this rank has sent to other ranks since construction; without MPI's own.
  [[nodiscard]] virtual std::int64_t bytes_sent() const = 0;
};

/// Collective over `world`: the strategy that `options` name. `buckets` are disjoint and cover vectors of
/// `size` elements. Precondition: the options agree with each other.
[[nodiscard]] std::unique_ptr<Reducer> make_reducer(const Communicator& world, std::int64_t size,
                                                    std::vector<Range> buckets, const ReducerOptions& options,
                                                    Reducer::Finish finish);

}  // namespace convoy::comm
