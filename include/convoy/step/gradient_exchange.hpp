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
#include <thread>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/model/state.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/step_plan.hpp"

namespace convoy::step {

class GradientExchange final : public GradientHook {
 public:
  /// Collective over `world`. For an engine of `threads` threads with `kernels`, which must outlive it.
  GradientExchange(const comm::Communicator& world, const nn::Network& network, int threads,
                   const kernels::KernelTable<float>& kernels, const CommOptions& options);
  ~GradientExchange() override;
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// Where parameters and statistics lie, [gradient_size].
  [[nodiscard]] std::span<float> values() const { return reducer_->values(); }
  /// The parameters whose optimizer state this rank keeps.
  [[nodiscard]] std::vector<Range> kept() const { return slices_of(reducer_->finishes()); }
  /// Those of them that no other rank has as its own.
  [[nodiscard]] std::vector<Range> owned() const { return slices_of({world_.rank()}); }
  /// `state` lies in values(); it must outlive this.
  void set_state(model::State& state) { state_ = &state; }

  /// Books updates there as such, which else count as reduction; null, the default: nowhere.
  void set_profile(Profile* profile) { profile_ = profile; }
  /// Tells that messages get on; null, the default: nobody.
  void set_watchdog(Watchdog* watchdog) { watchdog_ = watchdog; }

  /// Collective, once: steps that go as `plans`. Gives the slots they need.
  [[nodiscard]] std::vector<float*> prepare(const std::vector<const StepPlan*>& plans);

  /// Before the engine computes a step of `plan`, then updated by `update`. Where verify() will follow,
  /// owners keep the hash of what they assign.
  void begin(const StepPlan& plan, const model::Update& update, bool verify_follows);
  /// After it has: throws what went wrong meanwhile.
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
  struct alignas(64) Place {
    std::size_t next = 0;  ///< bucket whose share this thread adds next
  };
  void begin_step(const StepPlan& plan, const model::Update& update, bool verify_follows);
  /// All parameters among the slices of `owners`, rising.
  [[nodiscard]] std::vector<Range> slices_of(const std::vector<int>& owners) const;
  void update_slice(std::int64_t step, int bucket, const Range& elements, const float* sum);
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
  int engine_threads_;
  const kernels::KernelTable<float>& kernels_;
  bool overlaps_;
  std::int64_t parameters_;
  comm::Wire wire_;
  std::unique_ptr<comm::Reducer> reducer_;
  model::State* state_ = nullptr;
  Watchdog* watchdog_ = nullptr;
  Profile* profile_ = nullptr;
  std::vector<float*> slots_;

  const StepPlan* plan_ = nullptr;  // of the step under way
  int groups_ = 0;
  int threads_ = 0;
  struct Step {
    model::Update update;
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
