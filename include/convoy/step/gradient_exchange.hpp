#pragma once
// Exchanges a step's gradients across ranks during the computation: detects which bucket is complete, adds
// the sums of the rank's thread groups, and updates each slice on its owner. Connects the Engine's hook to
// the Reducer. Used by StepRunner and measure/comm_replay.hpp.
//
// Between nodes, a separate thread progresses messages, adds and updates; it sleeps most of the time. It is
// needed because one kernel may take longer than the sockets' buffers last. Within a node, and while the
// compute threads must wait, the first compute thread does this work. Each thread adds its share of a bucket
// as soon as all groups have completed the bucket; it does not wait for that.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/model/norm_sums.hpp"
#include "convoy/model/state.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/heartbeat.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/step_plan.hpp"

namespace convoy::step {

/// Settings of a GradientExchange.
struct ExchangeSetting {
  const kernels::KernelTable<float>& kernels;
  const optim::Optimizer* optimizer = nullptr;  ///< null: values become the sum, for measurements
  int threads = 1;                              ///< threads of the engine
  /// Of all steps; empty: no steps will run, only partial_sums() is needed.
  std::vector<const StepPlan*> plans{};
  Profile* profile = nullptr;      ///< records updates as optimizer time; without it they count as reduction
  Heartbeat* heartbeat = nullptr;  ///< ticked when messages progress
};

class GradientExchange final : public GradientHook {
 public:
  /// Collective over `world`. All arguments must outlive the exchange.
  GradientExchange(const comm::Communicator& world, const nn::Network& network, const CommOptions& options,
                   const ExchangeSetting& setting);
  ~GradientExchange() override;
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// The trained state: this rank's part of the optimizer's state, and values shared by the ranks of a node.
  /// Initially zero.
  [[nodiscard]] model::State& state() { return state_; }
  /// Gradient buffers for the engine, as many as the plans need.
  [[nodiscard]] const std::vector<float*>& slots() const { return slots_; }

  /// Call before the engine computes a step of `plan`. If `verify_follows`, owners keep the hash of the
  /// values they assign.
  void begin(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows);
  /// Call after the engine computed the step. Rethrows an error that occurred in the exchange. If the
  /// optimizer uses norms: collective, waits for the sums of all ranks, and starts the update.
  void end();
  /// Progresses messages; for callers that wait for other things.
  void poll();
  /// Waits until all updates of all begun steps have arrived from all ranks.
  void settle();
  /// Collective, after a step begun with verify_follows: compares the values on every rank with the values
  /// that their owners computed in that step. Throws DisagreementError on every rank; the error names both
  /// ranks.
  void verify();

  void before(int operation, int thread) noexcept override;
  void between(int thread) noexcept override { drive(thread); }
  void after(int operation, int thread, bool is_first) noexcept override;
  void finish(int thread) noexcept override;

  [[nodiscard]] const comm::Reducer& reducer() const { return *reducer_; }

 private:
  /// Data of an optimizer with norms, kept between the reduction and the update.
  struct ExchangedNorms {
    model::NormSums sums;
    std::vector<int> owners;                       ///< the ranks whose slices this rank updates
    optim::Shard gradients;                        ///< sums of a step, for all slices that this rank updates
    std::vector<std::int64_t> measured;            ///< numbers of the blocks whose sums this rank has
    std::vector<std::vector<std::int64_t>> owned;  ///< by rank: numbers of the blocks that it owns
    std::size_t most_owned = 0;
    std::vector<double> mine{};  ///< sums of squares of a stage, of this rank's blocks: [most_owned][vectors]
    std::vector<double> all{};   ///< [ranks][most_owned][vectors]
  };
  [[nodiscard]] ExchangedNorms make_norms() const;

  struct alignas(64) Place {
    std::size_t next = 0;  ///< next bucket to which this thread adds its share
  };
  void begin_step(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows);
  /// Allocates for the partial sums of steps of these plans.
  void plan_reducer(const std::vector<const StepPlan*>& plans);
  /// All elements below `end` in the slices of `owners`, ascending.
  [[nodiscard]] std::vector<Range> slices_of(const std::vector<int>& owners, std::int64_t end) const;
  [[nodiscard]] bool needs_norms() const { return norms_.has_value(); }
  /// Called by the reducer with a sum: updates the slice, or keeps the sum until the norms are known.
  void take_sum(std::int64_t step, int bucket, const Range& elements, const float* sum);
  /// The update of step `step`, one of the latest two.
  [[nodiscard]] model::Update update_of(std::int64_t step) const;
  void update_slice(std::int64_t step, int bucket, const Range& elements, const float* sum);
  /// Collective: completes a step whose optimizer uses norms.
  void update_by_norms();
  /// Computes norms of stage `stage` for this rank's blocks.
  void measure(int stage, const model::Update& update);
  void hash_slice(Hasher& hasher, const Range& elements) const;
  /// Exchange work of a thread between kernels.
  void drive(int thread) noexcept;
  /// Progresses messages if `thread` is the first thread.
  void help(int thread) noexcept;
  /// Progresses everything that can progress. The caller holds mutex_.
  void advance();
  void keep_moving();
  void add_share(std::size_t bucket, int thread) noexcept;
  /// Calls f() and keeps its exception, because nothing may leave a parallel region. The caller holds mutex_.
  template <class Function>
  void guarded(const Function& f) noexcept;

  comm::Communicator world_;
  std::vector<Bucket> buckets_;
  std::vector<std::vector<int>> buckets_of_;    // by operation: buckets with a part of its gradient
  std::vector<std::vector<int>> completed_by_;  // by operation: buckets that its backward completes
  ExchangeSetting setting_;
  bool overlaps_;
  std::int64_t parameters_;
  comm::Wire wire_;
  std::unique_ptr<comm::Reducer> reducer_;
  model::State state_;
  std::vector<float*> slots_;
  std::optional<ExchangedNorms> norms_;  // only if the optimizer uses norms

  const StepPlan* plan_ = nullptr;  // of the current step
  int groups_ = 0;
  int threads_ = 0;
  struct Step {
    optim::StepInfo info;
    bool is_hashed = false;
  };
  std::array<Step, 2> latest_;  // the two latest steps
  Hasher hasher_;  // hash of the values this rank assigned in the latest step with verify_follows
  std::int64_t steps_ = 0;
  std::vector<std::atomic<int>> arrived_;  // by bucket: groups that completed it
  std::vector<std::atomic<int>> added_;    // by bucket: threads that added their share
  std::vector<Place> places_;              // by thread
  std::atomic<std::size_t> contributed_ = 0;
  std::atomic<bool> holds_back_{false};  // true: send nothing before the step's computation ends
  std::exception_ptr failure_;
  std::atomic<bool> has_failed_{false};

  std::mutex mutex_;           // protects the reducer and all data that its progress writes
  std::int64_t advances_ = 0;  // number of times any thread progressed messages
  std::condition_variable wake_;
  bool is_ending_ = false;
  std::thread::id mover_id_;  // id of mover_, once it runs; protected by mutex_
  std::thread mover_;         // only between nodes
};

}  // namespace convoy::step
