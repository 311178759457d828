#include "convoy/measure/comm_replay.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "convoy/comm/tree.hpp"
#include "convoy/measure/median_step.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/gradient_exchange.hpp"
#include "convoy/step/schedule.hpp"

namespace convoy::measure {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Waits with a correct total: each wait subtracts the delay of the previous sleep.
class Waits {
 public:
  Waits() {
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1000UL);  // nanoseconds
#endif
  }
  void wait(double seconds) {
    const Clock::time_point begin = Clock::now();
    const double asked = seconds - late_;
    if (asked > 0) std::this_thread::sleep_for(std::chrono::duration<double>(asked));
    late_ = seconds_since(begin) - asked;
  }

 private:
  double late_ = 0;
};

/// One rank's part of steps without kernels.
class CommReplay {
 public:
  CommReplay(const comm::Communicator& world, const nn::Network& network, const step::Options& options,
             const kernels::KernelTable<float>& kernels, const MicroBatchTimes& times, CommReplayKind what)
      : options_(options),
        times_(times),
        what_(what),
        optimizer_(optim::make_optimizer(options.optimizer)),
        plan_(step::plan_step(leaves(), comm::leaf_block(leaves(), world.size(), world.rank()), 1)) {
    if (world.size() == 1) return;
    exchange_ = std::make_unique<step::GradientExchange>(
        world, network, options.comm,
        step::ExchangeSetting{.kernels = kernels,
                              .optimizer = what == CommReplayKind::kSumAlone ? nullptr : optimizer_.get(),
                              .plans = {&plan_}});
    layerwise_ = step::layerwise_micro_batches(network, options.micro_batch, exchange_->reducer().nodes(),
                                               options.comm);
    for (float* slot : exchange_->slots()) std::fill_n(slot, network.gradient_size(), 0.0F);
  }

  void step() {
    const optim::StepInfo info{.step = 1, .learning_rate = 0, .samples = static_cast<float>(options_.batch)};
    if (exchange_) exchange_->begin(plan_, info, false);
    compute();
    if (!exchange_) return;
    exchange_->end();
    if (what_ == CommReplayKind::kSumAlone) exchange_->settle();
  }
  void settle() {
    if (exchange_) exchange_->settle();
  }

 private:
  [[nodiscard]] std::int64_t leaves() const { return step::BatchPlan(options_).micro_batches(); }

  void compute() {
    const auto micro_batches =
        plan_.groups.empty() ? 0 : static_cast<std::int64_t>(plan_.groups.front().size());
    if (micro_batches == 0) {
      if (exchange_) exchange_->finish(0);
      return;
    }
    step::run_schedule(
        {.micro_batches = micro_batches,
         .layerwise = layerwise_,
         .operations = static_cast<int>(times_.forward.size())},
        exchange_.get(), [](std::int64_t, std::int64_t) {},
        [this](std::int64_t, std::int64_t, int operation) {
          waits_.wait(times_.forward[static_cast<std::size_t>(operation)]);
        },
        [this](std::int64_t, std::int64_t, int operation) {
          waits_.wait(times_.backward[static_cast<std::size_t>(operation)]);
        });
  }

  const step::Options& options_;
  const MicroBatchTimes& times_;
  CommReplayKind what_;
  std::unique_ptr<const optim::Optimizer> optimizer_;
  step::StepPlan plan_;
  std::unique_ptr<step::GradientExchange> exchange_;  // null: single rank
  std::int64_t layerwise_ = 1;
  Waits waits_;
};

}  // namespace

double MicroBatchTimes::sum() const {
  const double all_forward = std::accumulate(forward.begin(), forward.end(), 0.0);
  return std::accumulate(backward.begin(), backward.end(), all_forward);
}

MicroBatchTimes no_computation(const nn::Network& network) {
  const std::size_t operations = passes::operation_ranges(network).size();
  return {std::vector<double>(operations), std::vector<double>(operations)};
}

comm::PartialSums partial_sums(const comm::Communicator& world, const nn::Network& network,
                               const step::Options& options, const kernels::KernelTable<float>& kernels) {
  const step::BatchPlan batches(options);
  batches.require_work_for(world.size());
  const step::GradientExchange exchange(world, network, options.comm, {.kernels = kernels});
  return exchange.reducer().partial_sums(batches.micro_batches());
}

double replay_communication(const comm::Communicator& world, const nn::Network& network,
                            const step::Options& options, const kernels::KernelTable<float>& kernels,
                            const MicroBatchTimes& times, CommReplayKind what, double seconds) {
  constexpr int kStepsToWarmUp = 2;
  CommReplay replay(world, network, options, kernels, times, what);
  for (int i = 0; i < kStepsToWarmUp; ++i) replay.step();
  replay.settle();
  world.barrier();
  const double lap = median_step(world, seconds, [&] { replay.step(); });
  replay.settle();
  return lap;
}

}  // namespace convoy::measure
