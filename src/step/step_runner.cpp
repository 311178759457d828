#include "convoy/step/step_runner.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "convoy/comm/rendezvous.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/core/text.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/model/parameter_groups.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/step/feed.hpp"

namespace convoy::step {

StepRunner::StepRunner(const Options& options, const comm::Communicator& world, const nn::Network& network,
                       const kernels::KernelTable<float>& kernels, const Source& source, const Hooks& hooks)
    : options_(options),
      world_(world),
      source_(source),
      hooks_(hooks),
      threads_(machine::resolve_threads(options.threads)),
      batches_(options, source.split->samples()),
      profile_(threads_, Profile::Start::kOff),
      optimizer_(optim::make_optimizer(options.optimizer)),
      exchange_(make_exchange(network, kernels)),
      engine_(network, engine_setting(network, kernels)),
      loss_sums_(world) {
  std::vector<optim::ParameterRange> ranges = model::parameter_ranges(network, options.parameter_groups);
  if (exchange_) {
    exchange_->state().parameter_ranges = std::move(ranges);
    cross_check_.emplace(world, static_cast<int>(passes::operation_ranges(network).size()));
    return;
  }
  own_state_ = model::make_state(network, optimizer_.get());
  own_state_->parameter_ranges = std::move(ranges);
  if (optimizer_->uses_norms()) own_norms_.emplace(*optimizer_, own_state_->parameter_ranges);
}

std::unique_ptr<GradientExchange> StepRunner::make_exchange(const nn::Network& network,
                                                            const kernels::KernelTable<float>& kernels) {
  if (world_.size() == 1) return nullptr;
  return std::make_unique<GradientExchange>(
      world_, network, options_.comm,
      ExchangeSetting{.kernels = kernels,
                      .optimizer = optimizer_.get(),
                      .threads = threads_,
                      .plans = {&plan_for(leaves()), &plan_for(last_leaves())},
                      .profile = &profile_,
                      .heartbeat = &heartbeat_});
}

EngineSetting StepRunner::engine_setting(const nn::Network& network,
                                         const kernels::KernelTable<float>& kernels) {
  EngineSetting setting{.kernels = kernels,
                        .threads = threads_,
                        .micro_batch = options_.micro_batch,
                        .precision = options_.precision,
                        .wire = options_.comm.wire,
                        .profile = &profile_};
  if (!exchange_) return setting;
  setting.layerwise =
      layerwise_micro_batches(network, options_.micro_batch, exchange_->reducer().nodes(), options_.comm);
  setting.slots = exchange_->slots();
  setting.heartbeat = &heartbeat_;
  return setting;
}

std::int64_t StepRunner::leaves() const {
  return batches_.micro_batches();
}

std::int64_t StepRunner::last_leaves() const {
  return batches_.micro_batches_of_last_step();
}

comm::PartialSums StepRunner::partial_sums() const {
  return exchange_ ? exchange_->reducer().partial_sums(leaves()) : comm::PartialSums();
}

std::int64_t StepRunner::micro_batch_for_one_sum() const {
  const std::int64_t batch = batches_.most_samples();
  const auto would_do = [&](std::int64_t micro_batch) {
    if (micro_batch < 1 || micro_batch > batch) return false;
    const std::int64_t leaves = ceil_div(batch, micro_batch);
    return leaves >= world_.size() && (!exchange_ || exchange_->reducer().partial_sums(leaves).most == 1);
  };
  for (std::int64_t distance = 0; distance < batch; ++distance) {
    for (const std::int64_t each : {options_.micro_batch - distance, options_.micro_batch + distance})
      if (would_do(each)) return each;
  }
  return 0;
}

bool StepRunner::shares_memory() const {
  return exchange_ && exchange_->reducer().nodes() < world_.size();
}

void StepRunner::start_watchdog() {
  if (!exchange_) return;
  constexpr double kSecondsToAnswer = 1.5;  // less than kLastWordsSeconds (watchdog.cpp)
  watchdog_.emplace(
      world_.rank(), world_.all_gather_text(comm::host_name()),
      static_cast<double>(options_.comm.timeout_seconds), heartbeat_,
      Watchdog::Others{
          .waits_for =
              [this] {
                const int in_meeting = world_.waits_for();
                return in_meeting >= 0 ? in_meeting : exchange_->reducer().waits_for();
              },
          .find_unresponsive =
              [roll = world_.split(0)] { return comm::unresponsive_ranks(roll, kSecondsToAnswer); }});
}

const StepPlan& StepRunner::prepare_plans() {
  engine_.prepare(plan_for(last_leaves()));
  const StepPlan& whole = plan_for(leaves());
  engine_.prepare(whole);
  return whole;
}

const StepPlan& StepRunner::plan_for(std::int64_t leaves) {
  const auto found = plans_.find(leaves);
  if (found != plans_.end()) return found->second;
  return plans_
      .emplace(leaves, plan_step(leaves, comm::leaf_block(leaves, world_.size(), world_.rank()), threads_))
      .first->second;
}

void StepRunner::compute_again(const StepPlan& usual, const StepInput& input) {
  exchange_->settle();  // other steps must not use the slots or change the parameters
  cross_check_->begin(usual.leaves,
                      input.stream != nullptr ? input.stream_step : input.step);  // as the feed reads
  const std::int64_t leaf = cross_check_->again();
  if (leaf < 0) return;
  StepPlan plan = plan_step(usual.leaves, {leaf, leaf + 1}, 1);
  plan.groups.resize(usual.groups.size());  // the other groups stay idle, so no extra workspaces are made
  MicroBatchResult result;
  GradientTask task = task_of(plan, input, std::span(&result, 1));
  task.observer = [this](std::int64_t of, int operation, std::span<float> parameters,
                         std::span<float> statistics) {
    cross_check_->see(of, operation, parameters, statistics, true);
  };
  engine_.gradients(task);
}

GradientTask StepRunner::task_of(const StepPlan& plan, const StepInput& input,
                                 std::span<MicroBatchResult> results) {
  return {.plan = plan,
          .source = source_,
          .stream = input.stream,
          .state = state(),
          .batch = input.batch,
          .seed = options_.seed,
          .epoch = input.epoch,
          .leaves = results};
}

GradientObserver StepRunner::observer_of(const StepInput& input) {
  observed_ = {.step = input.step + 1, .is_checked = exchange_ && input.verify_follows};
  if (!observed_.is_checked && !hooks_.corrupt && !hooks_.see) return {};
  // Captures at most what a std::function holds without allocation.
  return [this](std::int64_t leaf, int operation, std::span<float> parameters, std::span<float> statistics) {
    if (hooks_.corrupt && !parameters.empty())
      hooks_.corrupt("gradient", operation, world_.rank(), observed_.step,
                     std::as_writable_bytes(parameters));
    if (hooks_.see)
      hooks_.see(
          {.pass = Computed::Pass::kBackward, .leaf = leaf, .operation = operation, .values = parameters});
    if (observed_.is_checked) cross_check_->see(leaf, operation, parameters, statistics, false);
  };
}

void StepRunner::await_images_of(const StepInput& input) {
  if (input.stream == nullptr) return;
  enter(Phase::kData, input.step + 1);
  PartTimer timer(&profile_);
  await_images(
      *input.stream, input.stream_step, [this] { engine_.tick(); },
      [this] {
        if (exchange_) exchange_->poll();
      });
  timer.book(Activity::kData);
}

MicroBatchResult StepRunner::step(const StepInput& input) {
  const StepTimer whole(&profile_);
  await_images_of(input);
  enter(Phase::kStep, input.step + 1);
  const auto samples = static_cast<std::int64_t>(input.batch.size());
  const std::int64_t leaves = batches_.micro_batches(samples);
  const StepPlan& plan = plan_for(leaves);
  const optim::StepInfo info{.step = input.step - input.optimizer_begin,
                             .learning_rate = input.learning_rate,
                             .samples = static_cast<float>(samples),
                             .epochs_done = input.epochs_done,
                             .progress = input.progress};
  if (exchange_ && input.verify_follows) compute_again(plan, input);
  if (exchange_) exchange_->begin(plan, info, input.verify_follows);
  GradientTask task = task_of(plan, input, loss_sums_.places(leaves));
  task.hook = exchange_.get();
  task.observer = observer_of(input);
  if (hooks_.see)
    task.outputs = [this](std::int64_t leaf, int operation, std::span<const float> output) {
      hooks_.see({.leaf = leaf, .operation = operation, .values = output});
    };
  engine_.gradients(task);
  PartTimer timer(&profile_);
  if (exchange_) exchange_->end();
  const MicroBatchResult sum = loss_sums_.sum(leaves, input.request ? input.request() : 0, [this] {
    if (exchange_) exchange_->poll();
  });
  if (!std::isfinite(sum.loss_sum)) {
    throw DivergedError("training diverged (the loss is " + shortest(sum.loss_sum) +
                        "); a smaller schedule.lr, or a warm-up, would be the first thing to try");
  }
  timer.book(Activity::kReduction);
  if (!exchange_)
    engine_.update(plan, {.optimizer = optimizer_.get(), .info = info}, *own_state_,
                   own_norms_ ? &*own_norms_ : nullptr);
  if (input.stream != nullptr) input.stream->release(input.stream_step);
  return sum;
}

}  // namespace convoy::step
