#include "convoy/measure/rehearsal.hpp"

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
#include "convoy/model/state.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/gradient_exchange.hpp"

namespace convoy::measure {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Waits that are right in the sum, though a sleep is never quite as long as asked for.
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

/// One rank's part in steps without kernels.
class Rehearsal {
 public:
  Rehearsal(const comm::Communicator& world, const nn::Network& network, const step::Options& options,
            const kernels::KernelTable<float>& kernels, const MicroBatchTimes& times)
      : options_(options),
        times_(times),
        ranges_(model::decay_ranges(network)),
        plan_(step::plan_step(leaves(), comm::leaf_block(leaves(), world.size(), world.rank()), 1)) {
    if (world.size() == 1) return;
    exchange_ = std::make_unique<step::GradientExchange>(world, network, 1, kernels, options.comm);
    state_ = model::make_state(network, options.optimizer.momentum, exchange_->values(), exchange_->kept(),
                               exchange_->owned());
    exchange_->set_state(state_);
    slots_ = exchange_->prepare({&plan_});
    layerwise_ = step::layerwise_micro_batches(network, options.micro_batch, exchange_->reducer().nodes(),
                                               options.comm);
    for (float* slot : slots_) std::fill_n(slot, network.gradient_size(), 0.0F);
  }

  void step(Rehearse what) {
    const model::Update update{.sgd = what == Rehearse::kSumAlone ? nullptr : &options_.optimizer,
                               .ranges = &ranges_,
                               .rate = 0,
                               .samples = static_cast<float>(options_.batch),
                               .first_step = false};
    if (exchange_) exchange_->begin(plan_, update, false);
    compute();
    if (!exchange_) return;
    exchange_->finish(0);
    exchange_->end();
    if (what == Rehearse::kSumAlone) exchange_->settle();
  }
  void settle() {
    if (exchange_) exchange_->settle();
  }

 private:
  [[nodiscard]] std::int64_t leaves() const { return step::BatchPlan(options_).micro_batches(); }

  /// As Engine::run_group.
  void compute() {
    if (plan_.groups.empty()) return;
    const auto count = static_cast<std::int64_t>(plan_.groups.front().size());
    const auto operations = static_cast<int>(times_.forward.size());
    const auto forward = [&](std::int64_t i, std::int64_t, int operation) {
      if (exchange_ && i == 0) exchange_->before(operation, 0);
      if (exchange_ && i > 0) exchange_->between(0);
      waits_.wait(times_.forward[static_cast<std::size_t>(operation)]);
    };
    const auto backward = [&](std::int64_t, std::int64_t, int operation) {
      waits_.wait(times_.backward[static_cast<std::size_t>(operation)]);
      if (exchange_) exchange_->between(0);
    };
    const auto complete = [&](int operation) {
      if (exchange_) exchange_->after(operation, 0, true);
    };
    step::traverse(count, layerwise_, operations, forward, backward, complete);
  }

  const step::Options& options_;
  const MicroBatchTimes& times_;
  std::vector<optim::ParameterRange> ranges_;
  step::StepPlan plan_;
  std::unique_ptr<step::GradientExchange> exchange_;  // null: one rank alone
  model::State state_;
  std::vector<float*> slots_;
  std::int64_t layerwise_ = 1;
  Waits waits_;
};

}  // namespace

double MicroBatchTimes::sum() const {
  const double all_forward = std::accumulate(forward.begin(), forward.end(), 0.0);
  return std::accumulate(backward.begin(), backward.end(), all_forward);
}

MicroBatchTimes no_computation(const nn::Network& network) {
  const std::size_t operations = step::operation_ranges(network).size();
  return {std::vector<double>(operations), std::vector<double>(operations)};
}

comm::PartialSums partial_sums(const comm::Communicator& world, const nn::Network& network,
                               const step::Options& options, const kernels::KernelTable<float>& kernels) {
  const step::BatchPlan batches(options);
  batches.require_work_for(world.size());
  const step::GradientExchange exchange(world, network, 1, kernels, options.comm);
  return exchange.reducer().partial_sums(batches.micro_batches());
}

double rehearse(const comm::Communicator& world, const nn::Network& network, const step::Options& options,
                const kernels::KernelTable<float>& kernels, const MicroBatchTimes& times, Rehearse what,
                double seconds) {
  constexpr int kStepsToWarmUp = 2;
  Rehearsal rehearsal(world, network, options, kernels, times);
  for (int i = 0; i < kStepsToWarmUp; ++i) rehearsal.step(what);
  rehearsal.settle();
  world.barrier();
  const double lap = median_step(world, seconds, [&] { rehearsal.step(what); });
  rehearsal.settle();
  return lap;
}

}  // namespace convoy::measure
