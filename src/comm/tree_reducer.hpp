#pragma once
// The Reducer that sums along the fixed tree (comm/tree.hpp): the same bits for any number of ranks. Private
// to the comm room.
//
// Stages of a bucket (bucket_progress.hpp):
// - contributed: this rank's maximal nodes are complete.
// - merged: all ranks of the cluster node have contributed. For each slice, the owner's proxy on this cluster
// node (on the owner's cluster node: the owner) has added complete siblings along the tree, in shared memory,
// and sends the remaining nodes to the owner.
// - finished: the owner has added the received nodes along the tree and passed the sum to Finish (the
// optimizer), which assigns the slice of `values`. The values are sent to the owner's proxy on every other
// cluster node.
// - gathered: this rank has received the slices for which it is a proxy.
// - done: all slices of the bucket have arrived on this cluster node.
// The next forward pass first needs the buckets that backward completes last. Therefore values are sent in
// the opposite order of the sums, and only a few at a time while partial sums are pending, because partial
// sums must not queue behind values.
//
// Cost: with f maximal nodes per cluster node on average (per rank if memory is not shared) and N cluster
// nodes, each sends (f + 1)·(N − 1)/N times the vector. All messages are point-to-point, so that a missing
// rank can be identified.
//
// With Updates::kEverywhere, the sum is sent instead of the values, and each proxy passes it to Finish, once
// per cluster node. With Assignment::kBeforeRelease, sums are passed to Finish in the same way, but values
// are neither sent nor reported as available before release().

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "bucket_progress.hpp"
#include "convoy/comm/communicator.hpp"
#include "convoy/comm/reducer.hpp"
#include "convoy/comm/wire.hpp"
#include "messages.hpp"
#include "node_map.hpp"
#include "tree_plan.hpp"

namespace convoy::comm {

class TreeReducer final : public Reducer {
 public:
  /// Collective over `world`.
  TreeReducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
              const ReducerOptions& options, Finish finish);

  [[nodiscard]] std::span<float> values() const override { return values_; }
  [[nodiscard]] std::int64_t bucket_count() const override { return progress_.buckets(); }
  [[nodiscard]] Range slice(int bucket, int rank) const override;
  [[nodiscard]] std::vector<int> finishes() const override;
  [[nodiscard]] int nodes() const override { return map_.nodes(); }
  [[nodiscard]] PartialSums partial_sums(std::int64_t leaves) const override;

  void plan(std::int64_t slots, const std::vector<Layout>& layouts) override;
  [[nodiscard]] float* slot(std::int64_t i) const override { return slot_of(map_.node().rank(), i); }
  [[nodiscard]] std::int64_t bytes_of_node_peers() const override;

  void begin(std::int64_t leaves) override;
  void contribute(int bucket) override;
  void poll() override;
  [[nodiscard]] bool has_all_sums() const override;
  void release() override;

  [[nodiscard]] bool is_done(int bucket) const override { return progress_.is_done(bucket); }
  [[nodiscard]] bool may_begin() const override { return progress_.may_begin(); }
  [[nodiscard]] bool is_idle() const override { return progress_.is_idle(); }

  [[nodiscard]] std::int64_t moves() const override { return progress_.moves(); }
  [[nodiscard]] int waits_for() const override { return waits_for_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t bytes_sent() const override { return bytes_sent_; }

 private:
  struct BucketInFlight {
    explicit BucketInFlight(const Communicator& world)
        : parts(world), values(world), sent_parts(world), sent_values(world) {}
    const TreePlan* plan = nullptr;
    Exchange parts;  // receives: partial sums of this rank's slice from other nodes
    // Receives: slices of owners on other nodes for which this rank is proxy.
    Exchange values;
    Exchange sent_parts;
    Exchange sent_values;
    std::int64_t value_bytes = 0;  // in flight
    bool is_sent = false;          // this rank's values are sent or being sent
  };

  [[nodiscard]] bool updates_everywhere() const { return options_.updates == Updates::kEverywhere; }
  [[nodiscard]] bool waits_for_release() const { return options_.assignment == Assignment::kBeforeRelease; }
  /// Whether this rank's values of a bucket are assigned.
  [[nodiscard]] bool is_released(std::int64_t number) const {
    return !waits_for_release() || progress_.step_of(number) < released_steps_;
  }
  [[nodiscard]] Wire wire_of(int bucket) const;
  [[nodiscard]] bool is_remote(int owner) const { return map_.node_of(owner) != map_.my_node(); }
  [[nodiscard]] float* slot_of(int peer, std::int64_t i) const;
  /// Counters in shared memory: how many buckets node rank `peer` has contributed; and for each bucket, in
  /// how many steps the slices for which `peer` is proxy have arrived.
  [[nodiscard]] std::atomic<std::int64_t>& contributed_by(int peer) const;
  [[nodiscard]] std::atomic<std::int64_t>& gathered_by(int peer, int bucket) const;
  /// The first rank of the node that has not contributed (or gathered) bucket `number`; −1: none.
  [[nodiscard]] int peer_to_contribute(std::int64_t number) const;
  [[nodiscard]] int peer_to_gather(std::int64_t number) const;
  BucketInFlight& in_flight(std::int64_t number) { return in_flight_[progress_.place_of(number)]; }
  /// Staging buffer for a slice from another node: partial sum number `remote`, or, after the partial sums,
  /// the sum.
  float* staging(std::int64_t number, std::size_t remote);
  [[nodiscard]] std::int64_t window() const;
  void post_receives();
  bool merge_next();
  bool finish_next();
  bool send_values();
  bool gather_and_retire();
  void merge_and_send(std::int64_t number);
  void finish_slice(std::int64_t number);
  void gather(std::int64_t number);
  void tell_gathered(std::int64_t number);
  /// Whether all messages of the bucket are complete, so that it can be retired.
  [[nodiscard]] bool has_all_come_and_gone(std::int64_t number);
  /// A rank for which the oldest bucket waits; −1: none or unknown.
  [[nodiscard]] int awaited();
  void send_to_nodes(std::int64_t number, Wire wire, std::span<const float> values);
  std::int64_t send(Exchange& sends, Wire wire, std::span<const float> values, int to, int tag);

  Communicator world_;
  NodeMap map_;
  std::vector<Range> buckets_;
  ReducerOptions options_;
  Finish finish_;
  BucketProgress progress_;
  std::vector<int> proxied_;       // owners for which this rank is proxy, including itself
  std::size_t remote_owners_ = 0;  // of proxied_
  // The first on a later node: each rank starts with a different receiver.
  std::size_t first_proxied_ = 0;
  NodeSegments shared_values_;
  NodeSegments shared_counters_;
  std::unique_ptr<NodeSegments> shared_slots_;  // null before plan()
  std::span<float> values_;
  std::int64_t stride_;                     // of slots
  std::map<std::int64_t, TreePlan> plans_;  // by number of leaves

  std::int64_t released_steps_ = 0;
  std::int64_t posted_ = 0;           // buckets whose receives of partial sums are posted
  std::vector<std::int64_t> unsent_;  // finished buckets whose values this rank has not sent
  std::int64_t bytes_under_way_ = 0;  // of values
  std::int64_t staging_slice_ = 0;
  std::vector<float> staging_;
  std::vector<float*> values_of_parts_;
  std::atomic<int> waits_for_{-1};
  std::int64_t bytes_sent_ = 0;
  // Declared last: its destructor waits for messages, which use the members above.
  std::vector<BucketInFlight> in_flight_;
};

}  // namespace convoy::comm
