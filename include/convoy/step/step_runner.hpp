#pragma once
// Runs single steps on one rank: owns the engine, the gradient exchange and the state, and keeps them
// consistent with other ranks. The caller (train/trainer.hpp, measure/) decides the order of steps.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "convoy/model/state.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/cross_check.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/gradient_exchange.hpp"
#include "convoy/step/hooks.hpp"
#include "convoy/step/loss_sums.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/profile.hpp"
#include "convoy/step/watchdog.hpp"

namespace convoy::step {

/// Input of one step.
struct StepInput {
  std::int64_t step = 0;             ///< from 0
  std::int64_t optimizer_begin = 0;  ///< the step before which the optimizer's states were zero
  std::int64_t epoch = 0;
  std::span<const std::int64_t> batch;  ///< samples of all ranks
  data::Stream* stream = nullptr;       ///< for a streamed split: from feed_training()
  std::int64_t stream_step = 0;         ///< number of this step in `stream`
  double learning_rate = 0;
  double epochs_done = 0;  ///< before this step, a fraction within an epoch (optim::StepInfo)
  double progress = 0;     ///< share of the schedule's steps done with this one
  bool verify_follows = false;
  std::function<int()> request{};  ///< this rank's Request; called at the step's end
};

class StepRunner {
 public:
  /// Collective over `world`. All arguments must outlive the runner.
  StepRunner(const Options& options, const comm::Communicator& world, const nn::Network& network,
             const kernels::KernelTable<float>& kernels, const Source& source, const Hooks& hooks);

  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] model::State& state() { return exchange_ ? exchange_->state() : *own_state_; }
  /// Micro-batches of a whole step.
  [[nodiscard]] std::int64_t leaves() const;
  /// f (see comm/reducer.hpp) and whether it counts nodes; 1 for a single rank.
  [[nodiscard]] comm::PartialSums partial_sums() const;
  /// The micro-batch size nearest to the current one with f = 1; 0 if there is none.
  [[nodiscard]] std::int64_t micro_batch_for_one_sum() const;
  [[nodiscard]] bool shares_memory() const;

  /// Bytes of gradients of the node's other ranks that this rank works in.
  [[nodiscard]] std::int64_t bytes_of_node_peers() const {
    return exchange_ ? exchange_->reducer().bytes_of_node_peers() : 0;
  }

  /// Records the time of later steps.
  void start_profile() { profile_.turn_on(); }
  [[nodiscard]] const Profile& profile() const { return profile_; }
  /// Collective. From now on, a rank that stops responding ends the job. Does nothing on a single rank.
  void start_watchdog();
  /// Sets the phase and step for the watchdog's message.
  void enter(Phase phase, std::int64_t step) { heartbeat_.enter(phase, step); }

  /// Allocates memory for whole and last steps; without this call, the first steps allocate it. Returns the
  /// plan of a whole step.
  const StepPlan& prepare_plans();

  /// Collective. Updates the state once; the new state may arrive after the return (settle()). Returns the
  /// sums over the whole batch. Throws DivergedError if the loss is not finite.
  MicroBatchResult step(const StepInput& input);
  /// The strongest request of any rank in the last step.
  [[nodiscard]] int strongest_request() const { return loss_sums_.strongest_request(); }
  /// Waits until the state of the last step has arrived.
  void settle() {
    if (exchange_) exchange_->settle();
  }
  /// Collective, after a step with verify_follows: GradientExchange::verify(), CrossCheck::verify().
  void verify() {
    if (!exchange_) return;
    exchange_->verify();
    cross_check_->verify();
  }

 private:
  const StepPlan& plan_for(std::int64_t leaves);
  void await_images_of(const StepInput& input);
  void compute_again(const StepPlan& usual, const StepInput& input);
  /// This rank's computation of a step, or of a part of it, as `plan` says; no hook, no observer.
  [[nodiscard]] GradientTask task_of(const StepPlan& plan, const StepInput& input,
                                     std::span<MicroBatchResult> results);
  [[nodiscard]] GradientObserver observer_of(const StepInput& input);
  [[nodiscard]] std::int64_t last_leaves() const;
  [[nodiscard]] std::unique_ptr<GradientExchange> make_exchange(const nn::Network& network,
                                                                const kernels::KernelTable<float>& kernels);
  [[nodiscard]] EngineSetting engine_setting(const nn::Network& network,
                                             const kernels::KernelTable<float>& kernels);

  const Options& options_;
  comm::Communicator world_;
  const Source& source_;
  const Hooks& hooks_;
  int threads_;
  BatchPlan batches_;
  Heartbeat heartbeat_;
  Profile profile_;
  std::unique_ptr<const optim::Optimizer> optimizer_;
  std::map<std::int64_t, StepPlan> plans_;      // by number of leaves
  std::unique_ptr<GradientExchange> exchange_;  // null: single rank
  std::optional<model::State> own_state_;       // single rank only
  std::optional<model::NormSums> own_norms_;    // single rank, if the optimizer uses norms
  std::optional<CrossCheck> cross_check_;       // several ranks only
  Engine engine_;
  struct {
    std::int64_t step = 0;
    bool is_checked = false;
  } observed_;
  LossSums loss_sums_;
  std::optional<Watchdog> watchdog_;  // declared last, so destroyed first: it reads the other members
};

}  // namespace convoy::step
