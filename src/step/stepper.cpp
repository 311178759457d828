#include "convoy/step/stepper.hpp"

#include <algorithm>
#include <cmath>

#include "convoy/comm/meeting.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/core/text.hpp"
#include "convoy/step/feed.hpp"
#include "convoy/step/placement.hpp"

namespace convoy::step {

Stepper::Stepper(const Options& options, const comm::Communicator& world, const nn::Network& network,
                 const kernels::KernelTable<float>& kernels, const Source& source, const Hooks& hooks)
    : options_(options),
      world_(world),
      source_(source),
      batches_(options, source.split->samples()),
      engine_(network, kernels, resolve_threads(options.threads), options.micro_batch, options.precision),
      ranges_(model::decay_ranges(network)),
      hooks_(hooks),
      leaf_sums_(world) {
  engine_.set_wire(options.comm.wire);
  if (world.size() == 1) {
    state_ = model::make_state(network, options.optimizer.momentum);
    return;
  }
  exchange_ = std::make_unique<GradientExchange>(world, network, engine_.threads(), kernels, options.comm);
  state_ = model::make_state(network, options.optimizer.momentum, exchange_->values(), exchange_->kept(),
                             exchange_->owned());
  exchange_->set_state(state_);
  cross_check_.emplace(world, static_cast<int>(operation_ranges(network).size()));
  engine_.set_layerwise(
      layerwise_micro_batches(network, options.micro_batch, exchange_->reducer().nodes(), options.comm));
}

std::int64_t Stepper::leaves() const {
  return batches_.micro_batches();
}

std::int64_t Stepper::last_leaves() const {
  return batches_.micro_batches_of_last_step();
}

comm::PartialSums Stepper::partial_sums() const {
  return exchange_ ? exchange_->reducer().partial_sums(leaves()) : comm::PartialSums();
}

std::int64_t Stepper::micro_batch_for_one_sum() const {
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

bool Stepper::shares_memory() const {
  return exchange_ && exchange_->reducer().nodes() < world_.size();
}

void Stepper::start_profile() {
  profile_.emplace(engine_.threads());
  engine_.set_profile(&*profile_);
  if (exchange_) exchange_->set_profile(&*profile_);
}

void Stepper::start_watchdog() {
  if (!exchange_) return;
  constexpr double kSecondsToAnswer = 1.5;  // less than the watchdog's last words take
  watchdog_.emplace(
      world_.rank(), world_.all_gather_text(comm::host_name()),
      static_cast<double>(options_.comm.timeout_seconds),
      Watchdog::Others{
          .waits_for =
              [this] {
                const int in_meeting = world_.waits_for();
                return in_meeting >= 0 ? in_meeting : exchange_->reducer().waits_for();
              },
          .roll_call = [roll = world_.split(0)] { return comm::silent_ranks(roll, kSecondsToAnswer); }});
  engine_.set_watchdog(&*watchdog_);
  exchange_->set_watchdog(&*watchdog_);
}

void Stepper::prepare() {
  if (exchange_) engine_.use_slots(exchange_->prepare({&plan_for(leaves()), &plan_for(last_leaves())}));
}

const StepPlan& Stepper::prepare_plans() {
  engine_.prepare(plan_for(last_leaves()));
  const StepPlan& whole = plan_for(leaves());
  engine_.prepare(whole);
  return whole;
}

const StepPlan& Stepper::plan_for(std::int64_t leaves) {
  const auto found = plans_.find(leaves);
  if (found != plans_.end()) return found->second;
  return plans_
      .emplace(leaves,
               plan_step(leaves, comm::leaf_block(leaves, world_.size(), world_.rank()), engine_.threads()))
      .first->second;
}

void Stepper::compute_again(const StepPlan& usual, const StepOrder& order) {
  exchange_->settle();  // nothing but this step will use the slots, or change the parameters
  cross_check_->begin(usual.leaves, order.step);
  const std::int64_t leaf = cross_check_->again();
  if (leaf < 0) return;
  StepPlan plan = plan_step(usual.leaves, {leaf, leaf + 1}, 1);
  plan.groups.resize(usual.groups.size());  // the others are idle: no workspace is made for this alone
  engine_.set_tap(
      [this](std::int64_t of, int operation, std::span<float> parameters, std::span<float> statistics) {
        cross_check_->see(of, operation, parameters, statistics, true);
      });
  LeafResult result;
  engine_.gradients(plan, source_, state_, order.batch, options_.seed, order.epoch, std::span(&result, 1));
}

GradientTap Stepper::tap_of(const StepOrder& order) {
  tapped_ = {.step = order.step + 1, .is_checked = exchange_ && order.verify_follows};
  if (!tapped_.is_checked && !hooks_.corrupt) return {};
  // Captures no more than a std::function holds without an allocation.
  return [this](std::int64_t leaf, int operation, std::span<float> parameters, std::span<float> statistics) {
    if (hooks_.corrupt && !parameters.empty())
      hooks_.corrupt("gradient", world_.rank(), tapped_.step, std::as_writable_bytes(parameters));
    if (tapped_.is_checked) cross_check_->see(leaf, operation, parameters, statistics, false);
  };
}

void Stepper::await_pictures_of(std::int64_t step) {
  if (source_.stream == nullptr) return;
  enter(Phase::kData, step + 1);
  PartTimer timer(profile());
  await_pictures(
      *source_.stream, step, [this] { engine_.tick(); },
      [this] {
        if (exchange_) exchange_->poll();
      });
  timer.book(Activity::kData);
}

LeafResult Stepper::step(const StepOrder& order) {
  const StepTimer whole(profile());
  await_pictures_of(order.step);
  enter(Phase::kStep, order.step + 1);
  const auto samples = static_cast<std::int64_t>(order.batch.size());
  const std::int64_t leaves = batches_.micro_batches(samples);
  const StepPlan& plan = plan_for(leaves);
  const model::Update update{.sgd = &options_.optimizer,
                             .ranges = &ranges_,
                             .rate = static_cast<float>(order.rate),
                             .samples = static_cast<float>(samples),
                             .first_step = order.step == 0};
  if (exchange_ && order.verify_follows) compute_again(plan, order);
  engine_.set_tap(tap_of(order));
  if (exchange_) exchange_->begin(plan, update, order.verify_follows);
  engine_.gradients(plan, source_, state_, order.batch, options_.seed, order.epoch, leaf_sums_.places(leaves),
                    exchange_.get());
  PartTimer timer(profile());
  if (exchange_) exchange_->end();
  const LeafResult sum = leaf_sums_.sum(leaves, order.request ? order.request() : 0, [this] {
    if (exchange_) exchange_->poll();
  });
  if (!std::isfinite(sum.loss_sum)) {
    throw DivergedError("training diverged (the loss is " + shortest(sum.loss_sum) +
                        "); a smaller schedule.lr, or a warm-up, would be the first thing to try");
  }
  timer.book(Activity::kReduction);
  if (!exchange_) engine_.update(plan, update, state_);
  if (source_.stream != nullptr) source_.stream->release(order.step);
  return sum;
}

}  // namespace convoy::step
