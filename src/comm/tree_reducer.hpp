#pragma once
// The Reducer whose sums are the fixed tree's (comm/tree.hpp), the same bits for any number of ranks; private
// to the comm room.
//
// A bucket's stages (bucket_progress.hpp) mean:
//   contributed  this rank's maximal nodes of it are there;
//   merged       so are those of all ranks of the node; for each slice one of them, the owner's node proxy
//   (on
//                the owner's node the owner itself), adds what is complete along the tree, in shared memory,
//                and sends the rest to the owner;
//   finished     the owner has added what came along the tree and handed the sum on (to the optimizer), which
//                assigns the slice of `values`; that goes to the owner's proxy on every other node;
//   gathered     the slices that this rank is proxy for have come;
//   done         all slices of the bucket have come to this node.
// What backward completes last, the next forward pass needs first. So values leave in the order opposite to
// their sums, and few at a time while partial sums are still to come, which must not queue behind them.
//
// With f nodes of the tree a host (or a rank, where memory is not shared) on average, and N of them, a host
// sends (f + 1)·(N − 1)/N times the vector. Messages are sent point to point, so that it is known which rank
// is missing.
//
// Where not owners alone update (Updates::kEverywhere), the sum goes round in place of the values, and each
// slice's proxies hand it on, one a node. With Assignment::kBeforeRelease sums are handed on likewise, but no
// value leaves, and nobody is told that values are there, before release().

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
    Exchange parts;   // partial sums of this rank's slice, from other nodes
    Exchange values;  // slices of other nodes' owners that this rank is proxy for
    Exchange sent_parts;
    Exchange sent_values;
    std::int64_t value_bytes = 0;  // under way
    bool is_sent = false;          // this rank's values are, or on their way
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
  /// In shared memory: how many buckets a rank of this node has contributed; and of each bucket, for how many
  /// steps the slices that it is proxy for are here.
  [[nodiscard]] std::atomic<std::int64_t>& contributed_by(int peer) const;
  [[nodiscard]] std::atomic<std::int64_t>& gathered_by(int peer, int bucket) const;
  /// The first rank of the node that has not contributed bucket `number`, or not gathered it; −1: all have.
  [[nodiscard]] int peer_to_contribute(std::int64_t number) const;
  [[nodiscard]] int peer_to_gather(std::int64_t number) const;
  BucketInFlight& in_flight(std::int64_t number) { return in_flight_[progress_.place_of(number)]; }
  /// Room for a slice from another node: its part number `remote`, or behind those, sums.
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
  /// Whether the bucket can be retired.
  [[nodiscard]] bool has_all_come_and_gone(std::int64_t number);
  /// The rank that the oldest bucket waits for, −1: none, or not known.
  [[nodiscard]] int awaited();
  void send_to_nodes(std::int64_t number, Wire wire, std::span<const float> values);
  std::int64_t send(Exchange& sends, Wire wire, std::span<const float> values, int to, int tag);

  Communicator world_;
  NodeMap map_;
  std::vector<Range> buckets_;
  ReducerOptions options_;
  Finish finish_;
  BucketProgress progress_;
  std::vector<int> proxied_;       // owners that this rank is node proxy for, itself among them
  std::size_t remote_owners_ = 0;  // of proxied_
  std::size_t first_proxied_ = 0;  // the first of a later node: everyone begins with another receiver
  NodeSegments shared_values_;
  NodeSegments shared_counters_;
  std::unique_ptr<NodeSegments> shared_slots_;  // null before plan()
  std::span<float> values_;
  std::int64_t stride_;                     // of slots
  std::map<std::int64_t, TreePlan> plans_;  // by number of leaves

  std::int64_t released_steps_ = 0;
  std::int64_t posted_ = 0;           // buckets whose partial sums are awaited
  std::vector<std::int64_t> unsent_;  // finished buckets whose values this rank has yet to send
  std::int64_t bytes_under_way_ = 0;  // of values sent
  std::int64_t staging_slice_ = 0;
  std::vector<float> staging_;
  std::vector<float*> values_of_parts_;
  std::atomic<int> waits_for_{-1};
  std::int64_t bytes_sent_ = 0;
  std::vector<BucketInFlight> in_flight_;  // last: its destructor waits for messages, which use the others
};

}  // namespace convoy::comm
