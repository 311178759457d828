#include "convoy/train/fit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "best.hpp"
#include "convoy/core/error.hpp"
#include "convoy/model/parameter_groups.hpp"
#include "convoy/samples/names.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/step/feed.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::train {
namespace {

std::int64_t steps_of(const config::Options& options, std::int64_t steps_per_epoch) {
  const std::int64_t by_epochs = options.epochs * steps_per_epoch;
  return options.max_steps > 0 ? std::min(options.max_steps, by_epochs) : by_epochs;
}

bool watches_accuracy(const optim::ScheduleOptions& schedule) {
  return schedule.kind == optim::ScheduleKind::kPlateau &&
         schedule.plateau.metric == optim::PlateauMetric::kAccuracy;
}

/// What else may be wrong, or be changed, if the network does not fit the data set.
std::string hints_for(const data::Dataset& dataset, const config::Options& options) {
  std::string hints;
  for (const std::string& warning : dataset.warnings()) hints += "; " + warning;
  const std::int64_t wanted = outputs_for(dataset, options);
  try {
    const nn::Network network(dataset.shape(), options.layers, options.loss, std::nullopt);
    const std::int64_t outputs = network.nodes().back().layer->output().size();
    if (outputs != wanted)
      hints += fmt::format("; network.outputs = {} changes the last layer of a configuration", wanted);
    if (outputs > wanted && !dataset.has_targets())
      hints += fmt::format("; data.classes = {}, if other samples have more classes", outputs);
  } catch (const ConfigError&) {  // it fits no data set of these images
  }
  return hints;
}

}  // namespace

nn::Network network_for(const data::Dataset& dataset, const config::Options& options) {
  nn::Network network = [&] {
    try {
      return nn::Network(dataset.shape(), options.layers, loss_for(dataset, options),
                         outputs_for(dataset, options));
    } catch (const ConfigError& error) {
      throw ConfigError(error.what() + hints_for(dataset, options));
    }
  }();
  const data::Split* split = dataset.split(data::names::kTrain);
  require_values_to_normalise(network, options.micro_batch, split == nullptr ? 0 : split->samples());
  (void)model::parameter_ranges(network, options.parameter_groups);  // checks them
  return network;
}

void require_values_to_normalise(const nn::Network& network, std::int64_t micro_batch, std::int64_t samples) {
  if (micro_batch != 1 && samples != 1) return;
  for (const nn::Node& node : network.nodes()) {
    const Shape& shape = node.layer->output();
    if (node.layer->statistics().empty() || shape.h * shape.w > 1) continue;
    throw ConfigError(fmt::format(
        "{} would normalise a single value of each channel ({}, and its images are {}): the result is always "
        "its bias; {}",
        node.name, samples == 1 ? "there is 1 training sample" : "train.micro-batch is 1", to_string(shape),
        samples == 1 ? "train on more samples" : "set train.micro-batch to 2 or more"));
  }
}

Fit::Fit(const config::Options& options, const comm::Communicator& world, const nn::Network& network,
         step::Source source, kernels::Isa best, const step::Hooks& hooks)
    : options_(options),
      world_(world),
      hooks_(hooks),
      isa_(step::agreed_isa(world, best)),
      source_(std::move(source)),
      step_runner_(options, world, network, kernels::float_kernels(isa_), source_, hooks),
      steps_per_epoch_(step::BatchPlan(options, source_.split->samples()).steps_per_epoch()),
      steps_(steps_of(options, steps_per_epoch_)),
      schedule_(optim::scaled_to_batch(options.schedule, options.batch), options.epochs, steps_per_epoch_),
      order_(data::SampleOrder(*source_.split, options.data, options.seed, options.batch)) {
  if (watches_accuracy(options.schedule) && source_.split->target_size() > 0)
    throw ConfigError(
        "schedule.metric = accuracy needs classes (the data set holds targets); set schedule.metric = loss");
}

bool Fit::note_best(const Evaluation& evaluation) {
  return train::note_best(options_, evaluation, next_epoch(), progress_);
}

void Fit::end_epoch(const std::optional<Evaluation>& evaluated) {
  if (options_.schedule.kind == optim::ScheduleKind::kPlateau) {
    const auto samples = static_cast<double>(progress_.epoch_samples);
    const double loss = evaluated ? evaluated->loss : progress_.epoch_loss_sum / samples;
    const double accuracy =
        evaluated ? evaluated->accuracy() : static_cast<double>(progress_.epoch_correct) / samples;
    progress_.plateau.add_epoch(options_.schedule.plateau,
                                watches_accuracy(options_.schedule) ? accuracy : loss);
  }
  progress_.end_epoch(next_epoch() - 1);
}

void Fit::go_on_from(const model::Progress& progress, const model::Position& begin) {
  assert(progress.step >= begin.step);
  progress_ = progress;
  begin_ = begin;
  // Exact, and older checkpoints do not hold it.
  if (source_.split->target_size() > 0 && options_.loss.kind == nn::LossKind::kQuadratic)
    progress_.epoch_squared_error_sum = 2 * progress_.epoch_loss_sum;
}

std::unique_ptr<data::Stream> Fit::feed(io::IoThread& io_thread, std::int64_t end) const {
  if (!source_.split->is_streamed()) return nullptr;
  const std::int64_t offset = begin_.epoch * steps_per_epoch_;
  return step::feed_training(options_, world_, *source_.split, io_thread,
                             {.first = offset + done(),
                              .end = offset + end - begin_.step,
                              .per_epoch = steps_per_epoch_,
                              .is_verified = [this, offset](std::int64_t step) {
                                return verify_is_due(step - offset + begin_.step + 1);
                              }});
}

bool Fit::verify_is_due(std::int64_t step) const {
  const std::int64_t in_fit = step - begin_.step;
  return in_fit % steps_per_epoch_ == 0 || step == total_steps() ||
         (options_.comm.verify_every > 0 && step % options_.comm.verify_every == 0);
}

Fit::Update Fit::step(data::Stream* stream, const std::function<int()>& request, std::optional<double> rate) {
  assert(!is_complete());
  (void)begin_epoch();
  const std::int64_t epoch = next_epoch();
  const std::int64_t in_fit = done();
  const std::int64_t steps_of_schedule = options_.epochs * steps_per_epoch_;
  const step::StepInput input{
      .step = progress_.step,
      .optimizer_begin = begin_.optimizer_step,
      .epoch = epoch,
      .batch = order_.batch(in_fit % steps_per_epoch_, options_.batch),
      .stream = stream,
      .stream_step = begin_.epoch * steps_per_epoch_ + in_fit,
      .learning_rate = rate.value_or(this->rate()),
      .epochs_done = static_cast<double>(in_fit) / static_cast<double>(steps_per_epoch_),
      .progress = static_cast<double>(in_fit + 1) / static_cast<double>(steps_of_schedule),
      .verify_follows = verify_is_due(progress_.step + 1),
      .request = request};
  const step::MicroBatchResult sum = step_runner_.step(input);
  const auto samples = static_cast<std::int64_t>(input.batch.size());
  progress_.add_step(samples, sum);
  if (hooks_.corrupt) {
    step_runner_.settle();
    hooks_.corrupt("parameters", -1, world_.rank(), progress_.step,
                   std::as_writable_bytes(state().parameters));
  }
  return {.epoch = epoch,
          .samples = samples,
          .loss = sum.loss_sum / static_cast<double>(samples),
          .learning_rate = input.learning_rate,
          .ends_epoch = done() % steps_per_epoch_ == 0};
}

}  // namespace convoy::train
