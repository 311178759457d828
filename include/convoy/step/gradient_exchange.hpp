#pragma once
// A step's gradients across ranks while it computes: which bucket is complete when, what the rank's own
// groups of threads still have to add, and the update by the owner of each slice. Between the Engine's hook
// and the Reducer; private to the train room.
//
// Between hosts a thread of its own moves messages on, adds and updates, and sleeps most of the time: a
// kernel may take longer than what the sockets hold lasts. Within a host, and while it has to wait, the first
// thread of those that compute does. Each thread adds its share of what the groups hold of a bucket as soon
// as all of them have it, and does not wait for that.

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
#include "convoy/model/state.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/heartbeat.hpp"
#include "convoy/step/norm_sums.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/step_plan.hpp"

namespace convoy::step {

/// What an exchange works for.
struct ExchangeSetting {
  const kernels::KernelTable<float>& kernels;
  const optim::Optimizer* optimizer = nullptr;  ///< null: values become the sum, for measurements
  int threads = 1;                              ///< of the engine
  std::vector<const StepPlan*> plans{};  ///< how steps go; empty: none is made, partial_sums() alone is asked
  Profile* profile = nullptr;            ///< books updates there as such, which else count as reduction
  Heartbeat* heartbeat = nullptr;        ///< told when messages get on
};

class GradientExchange final : public GradientHook {
 public:
  /// Collective over `world`. What is referred to must outlive it.
  GradientExchange(const comm::Communicator& world, const nn::Network& network, const CommOptions& options,
                   const ExchangeSetting& setting);
  ~GradientExchange() override;
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// The trained state: this rank's part of what the optimizer keeps, and values that the ranks of a host
  /// share. Zero at first.
  [[nodiscard]] model::State& state() { return state_; }
  /// Where the engine's gradients go, as many as the plans need.
  [[nodiscard]] const std::vector<float*>& slots() const { return slots_; }

  /// Before the engine computes a step of `plan`. If verify() will follow, owners keep the hash of what they
  /// assign.
  void begin(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows);
  /// After it has: throws what went wrong meanwhile. With an optimizer that asks for norms it is collective,
  /// waits for the sums of all ranks, and starts the update.
  void end();
  /// Moves messages on; for waits elsewhere.
  void poll();
  /// Waits until all ranks' updates of all steps begun are here.
  void settle();
  /// Collective, after a step begun for it: compares what every rank holds of the values with what their
  /// owners computed in that step. Throws DisagreementError on every rank, naming both.
  void verify();

  void before(int operation, int thread) noexcept override;
  void between(int thread) noexcept override { drive(thread); }
  void after(int operation, int thread, bool is_first) noexcept override;
  void finish(int thread) noexcept override;

  [[nodiscard]] const comm::Reducer& reducer() const { return *reducer_; }

 private:
  /// What an optimizer with norms needs between its sums and their update.
  struct ExchangedNorms {
    NormSums sums;
    optim::Shard gradients;                        ///< sums of a step, of all slices that this rank updates
    std::vector<std::int64_t> measured;            ///< numbers of the blocks that this rank has the sums of
    std::vector<std::vector<std::int64_t>> owned;  ///< by rank: of the blocks that it owns
    std::size_t most_owned = 0;
    std::vector<double> mine{};  ///< squares of a stage, of this rank's blocks: [most_owned][vectors]
    std::vector<double> all{};   ///< [ranks][most_owned][vectors]
  };
  [[nodiscard]] ExchangedNorms make_norms() const;

  struct alignas(64) Place {
    std::size_t next = 0;  ///< bucket whose share this thread adds next
  };
  void begin_step(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows);
  /// Room for the partial sums that steps of these plans need.
  void plan_reducer(const std::vector<const StepPlan*>& plans);
  /// All elements below `end` among the slices of `owners`, rising.
  [[nodiscard]] std::vector<Range> slices_of(const std::vector<int>& owners, std::int64_t end) const;
  [[nodiscard]] bool needs_norms() const { return norms_.has_value(); }
  /// What the reducer calls with a sum: updates, or keeps it until norms are there.
  void take_sum(std::int64_t step, int bucket, const Range& elements, const float* sum);
  void update_slice(std::int64_t step, int bucket, const Range& elements, const float* sum);
  /// Collective: the rest of a step whose optimizer asks for norms.
  void update_by_norms();
  /// Stage `stage` of norms, of this rank's blocks.
  void measure(int stage, const model::Update& update);
  void hash_slice(Hasher& hasher, const Range& elements) const;
  /// What a thread does between kernels.
  void drive(int thread) noexcept;
  /// Moves messages on, if it is the first thread.
  void help(int thread) noexcept;
  /// Moves everything on that can be; for who holds mutex_.
  void advance();
  void keep_moving();
  void add_share(std::size_t bucket, int thread) noexcept;
  /// f(), keeping what it throws: nothing may leave a parallel region. For who holds mutex_.
  template <class Function>
  void guarded(const Function& f) noexcept;

  comm::Communicator world_;
  std::vector<Bucket> buckets_;
  std::vector<std::vector<int>> buckets_of_;    // by operation: those it has a part in
  std::vector<std::vector<int>> completed_by_;  // by operation
  ExchangeSetting setting_;
  bool overlaps_;
  std::int64_t parameters_;
  comm::Wire wire_;
  std::unique_ptr<comm::Reducer> reducer_;
  model::State state_;
  std::vector<float*> slots_;
  std::optional<ExchangedNorms> norms_;  // of an optimizer that asks for some

  const StepPlan* plan_ = nullptr;  // of the step under way
  int groups_ = 0;
  int threads_ = 0;
  struct Step {
    optim::StepInfo info;
    bool is_hashed = false;
  };
  std::array<Step, 2> latest_;  // steps
  Hasher hasher_;               // of what this rank assigned in the latest step begun for verify()
  std::int64_t steps_ = 0;
  std::vector<std::atomic<int>> arrived_;  // by bucket: groups that have it
  std::vector<std::atomic<int>> added_;    // threads that have added their share
  std::vector<Place> places_;              // by thread
  std::atomic<std::size_t> contributed_ = 0;
  std::atomic<bool> holds_back_{false};  // nothing is sent before the step's computation ends
  std::exception_ptr failure_;
  std::atomic<bool> has_failed_{false};

  std::mutex mutex_;           // of the reducer, and what a step of it writes
  std::int64_t advances_ = 0;  // how often anyone has moved messages on
  std::condition_variable wake_;
  bool is_ending_ = false;
  std::thread::id mover_id_;  // of the thread below, once it runs; read and written with mutex_ held
  std::thread mover_;         // only between hosts
};

}  // namespace convoy::step
