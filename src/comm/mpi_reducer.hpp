#pragma once
// The Reducer that sums with MPI: every rank passes whole buckets to MPI_Iallreduce, holds all values and
// finishes all sums. MPI chooses the order of additions, so the bits depend on the ranks. Private to the comm
// room.
//
// A bucket is merged when this rank's nodes are added and passed to MPI. It is done when it is finished.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "bucket_progress.hpp"
#include "convoy/comm/communicator.hpp"
#include "convoy/comm/reducer.hpp"
#include "convoy/core/aligned.hpp"
#include "messages.hpp"

namespace convoy::comm {

class MpiReducer final : public Reducer {
 public:
  MpiReducer(const Communicator& world, std::int64_t size, std::vector<Range> buckets,
             const ReducerOptions& options, Finish finish);

  [[nodiscard]] std::span<float> values() const override { return values_; }
  [[nodiscard]] std::int64_t bucket_count() const override { return progress_.buckets(); }
  [[nodiscard]] Range slice(int bucket, int rank) const override;
  [[nodiscard]] std::vector<int> finishes() const override;
  [[nodiscard]] int nodes() const override { return world_.size(); }
  [[nodiscard]] PartialSums partial_sums(std::int64_t) const override { return {}; }

  void plan(std::int64_t slots, const std::vector<Layout>& layouts) override;
  [[nodiscard]] float* slot(std::int64_t i) const override;
  [[nodiscard]] std::int64_t bytes_of_node_peers() const override { return 0; }

  void begin(std::int64_t leaves) override;
  void contribute(int bucket) override;
  void poll() override;
  [[nodiscard]] bool has_all_sums() const override;
  void release() override;

  [[nodiscard]] bool is_done(int bucket) const override { return progress_.is_done(bucket); }
  [[nodiscard]] bool may_begin() const override { return progress_.may_begin(); }
  [[nodiscard]] bool is_idle() const override { return progress_.is_idle(); }

  [[nodiscard]] std::int64_t moves() const override { return progress_.moves(); }
  [[nodiscard]] int waits_for() const override { return -1; }
  [[nodiscard]] std::int64_t bytes_sent() const override { return 0; }

 private:
  using Nodes = std::vector<float*>;  // this rank's maximal nodes of a step
  struct BucketInFlight {
    explicit BucketInFlight(const Communicator& world) : sum_of_all(world) {}
    const Nodes* nodes = nullptr;
    float* sum = nullptr;  // first this rank's sum, then the sum over all ranks
    Exchange sum_of_all;
  };

  bool merge_next();
  bool finish_next();
  void retire(std::int64_t number);
  /// Adds this rank's nodes over `elements`; returns the buffer that holds the sum.
  [[nodiscard]] float* sum_nodes(const Nodes& nodes, const Range& elements) const;

  Communicator world_;
  std::vector<Range> buckets_;
  std::int64_t grain_;
  Assignment assignment_;
  Finish finish_;
  BucketProgress progress_;
  AlignedBuffer<float> values_memory_;
  std::span<float> values_;
  std::int64_t stride_;  // of slots
  AlignedBuffer<float> slots_memory_;
  std::span<float> slots_;                 // empty before plan()
  std::map<std::int64_t, Nodes> planned_;  // by number of leaves
  // Declared last: its destructor waits for MPI, which uses the members above.
  std::vector<BucketInFlight> in_flight_;
};

}  // namespace convoy::comm
