#include "fitting.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "convoy/comm/agreement.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/floating_point.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/augment.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/model/parameter_groups.hpp"
#include "convoy/step/batch_plan.hpp"

namespace convoy {
namespace {

/// What a callback threw, or what other ranks are told of it; thrown on all ranks.
struct CallbackError {
  std::exception_ptr cause;
};

}  // namespace

step::Source source_of(const Model::Impl& model, const Dataset& data) {
  const data::Split* split = data.split();
  if (split == nullptr || split->samples() == 0)
    throw DataError("the data set has no samples; add some on any rank");
  const auto refuse = [](const std::string& problem) {
    throw DataError("the samples do not fit the model: " + problem);
  };
  if (data.shape() != model.network.input())
    refuse(fmt::format("images are {}, the network takes {}", to_string(data.shape()),
                       to_string(model.network.input())));
  const data::Dataset& dataset = *data.joined();
  const std::int64_t outputs = model.network.classes();
  if (dataset.has_targets() && !nn::takes_targets(model.network.loss().kind))
    refuse(fmt::format("they have targets, and the loss {} needs classes; use {}",
                       nn::to_string(model.network.loss().kind), nn::kLossesOfTargets));
  if (dataset.has_targets() &&
      (model.network.loss().balances_classes || !model.network.loss().class_weights.empty()))
    refuse("they have targets, and the loss has class weights");
  if (dataset.has_targets() ? dataset.classes() != outputs : dataset.classes() > outputs)
    refuse(fmt::format("they have {}, the network {}",
                       counted(dataset.classes(), dataset.has_targets() ? "target" : "class"),
                       counted(outputs, "output")));
  if (model.is_fitted && dataset.transform(data::Normalize::kNone).scale != model.input.scale)
    refuse(fmt::format("images are {} numbers, the model was trained on {} ones",
                       model.input.scale == 1 ? "uint8" : "float",
                       model.input.scale == 1 ? "float" : "uint8"));
  return {.split = split, .transform = model.input};
}

Fitting::Fitting(Model::Impl& model, Dataset& data, const Options& options, const FitCallbacks& callbacks,
                 From from)
    : model_(model),
      data_(data),
      given_(options),
      callbacks_(callbacks),
      from_(from),
      world_(data.ranks().by_node().split(0)) {}

void Fitting::require_same_everywhere() const {
  const std::string facts = config::effective_ini(options_) + to_hex(model_.digest()) +
                            (callbacks_.on_step ? 's' : '-') + (callbacks_.on_epoch ? 'e' : '-') +
                            (callbacks_.test != nullptr ? 't' : '-') +
                            (from_ == From::kStop ? "resume" : "fit");
  comm::require_agreement(world_, "model, options or callbacks of a fit", hash(facts),
                          "give every rank the same ones");
}

void Fitting::require_same_fit() const {
  for (const config::Difference& each :
       config::differences(config::effective_ini(model_.options), "the model", options_)) {
    const bool is_read_size = each.key == "data.window" && options_.data.order == data::Order::kFull;
    // Where samples lie is no matter: their digest is compared below.
    if (each.effect == config::Effect::kBits && Options::concerns_fit(each.key) && !is_read_size)
      throw ConfigError(
          fmt::format("{} was '{}' when the fit stopped and is '{}' now; a fit goes on with the "
                      "same options, or begins anew with fit()",
                      each.key, each.there, each.here));
  }
  if (data_.joined()->digest() != model_.data_digest)
    throw DataError(
        "the fit stopped with other samples; a fit goes on with the same ones, or begins anew with fit()");
}

step::Source Fitting::training_source() const {
  step::Source source = source_of(model_, data_);
  if (!model_.is_fitted) source.transform = data_.joined()->transform(options_.data.normalize);
  source.augmentation = options_.data.augment;
  return source;
}

bool Fitting::has_states() const {
  return std::ranges::all_of(optim::make_optimizer(options_.optimizer)->states(), [&](std::string_view name) {
    return std::ranges::find(model_.state.optimizer, name, &model::OptimizerState::name) !=
           model_.state.optimizer.end();
  });
}

void Fitting::start(train::Fit& fit) const {
  model_.copy_to(fit.state());
  world_.barrier();  // the ranks of a node may share the values
  model::Progress progress = model_.progress;
  if (from_ == From::kBeginning && progress.epoch_samples > 0) progress.end_epoch(progress.epoch);
  if (from_ == From::kBeginning) progress.plateau = {};
  fit.go_on_from(progress, begin_);
}

void Fitting::prepare() {
  io::agreed(world_, [&] {
    options_ = given_.with_network(model_.network.lines(), model_.network.loss());
    (void)model::parameter_ranges(model_.network, options_.parameter_groups);  // checks them
    const Dataset* test = callbacks_.test;
    if (test != nullptr &&
        (test->ranks().size() != world_.size() || test->ranks().rank() != data_.ranks().rank()))
      throw ConfigError(
          fmt::format("the test samples belong to {}, the training samples to {}; use the same "
                      "communicator",
                      counted(test->ranks().size(), "rank"), counted(world_.size(), "rank")));
  });
  require_same_everywhere();
  data_.join();
  if (callbacks_.test != nullptr) callbacks_.test->join();
  samples_ = data_.joined();
  if (callbacks_.test != nullptr) test_samples_ = callbacks_.test->joined();
  step::BatchPlan(options_).require_work_for(world_.size());
}

bool Fitting::run() {
  prepare();
  const step::Source source = training_source();
  if (model_.network.loss().balances_classes) model_.balance_classes(source.split->labels());
  data::require_fits(options_.data.augment, data_.shape());
  train::require_values_to_normalise(model_.network, options_.micro_batch, source.split->samples());
  if (from_ == From::kStop) require_same_fit();
  const model::Progress& now = model_.progress;
  begin_ = from_ == From::kStop
               ? model_.fit_begin
               : model::Position{.step = now.step,
                                 .epoch = now.epoch + (now.epoch_samples > 0 ? 1 : 0),
                                 .optimizer_step = has_states() ? model_.fit_begin.optimizer_step : now.step};
  if (callbacks_.test != nullptr) {
    test_ = source_of(model_, *callbacks_.test);
    if (test_samples_->transform(data::Normalize::kNone).scale != source.transform.scale)
      throw DataError(
          "the test samples do not fit: images are uint8 in one set and float numbers in the other");
    test_->transform = source.transform;
  }
  const step::Hooks no_hooks;
  std::optional<train::Fit> fit;
  fit.emplace(options_, world_, model_.network, source, kernels::choose_isa(), no_hooks);
  start(*fit);
  return run_to_an_end(fit);
}

bool Fitting::run_to_an_end(std::optional<train::Fit>& fit) {
  try {
    const bool is_complete = loop(*fit);
    take_over(*fit);
    return is_complete;
  } catch (const CallbackError& error) {
    end_together(fit);
    std::rethrow_exception(error.cause);
  } catch (const Error& error) {
    // Other errors may be of this rank alone.
    if (error.status() == ExitStatus::kDiverged || error.status() == ExitStatus::kDisagreement)
      end_together(fit);
    throw;
  }
}

void Fitting::end_together(std::optional<train::Fit>& fit) {
  // In a handler no exception counts as under way, so destructors free what ranks share.
  fit->step_runner().settle();
  fit.reset();
}

bool Fitting::loop(train::Fit& fit) {
  const std::unique_ptr<data::Stream> stream = fit.feed(io_thread_, fit.total_steps());
  while (!fit.is_complete()) {
    const train::Fit::Update update = fit.step(stream.get());
    if (fit.verify_is_due(fit.progress().step)) fit.step_runner().verify();
    bool stop = callbacks_.on_step && stops(fit, [&] {
                  return callbacks_.on_step({.step = fit.progress().step - begin_.step,
                                             .total_steps = fit.total_steps() - begin_.step,
                                             .epoch = update.epoch - begin_.epoch + 1,
                                             .loss = update.loss,
                                             .learning_rate = update.learning_rate});
                });
    if (update.ends_epoch) {
      const FitEpoch report = end_epoch(fit, update);
      stop |= callbacks_.on_epoch && stops(fit, [&] { return callbacks_.on_epoch(report); });
    }
    if (stop && !fit.is_complete()) return false;
  }
  return true;
}

FitEpoch Fitting::end_epoch(train::Fit& fit, const train::Fit::Update& update) {
  const model::Progress& progress = fit.progress();
  const auto samples = static_cast<double>(progress.epoch_samples);
  FitEpoch report{.epoch = update.epoch - begin_.epoch + 1,
                  .step = progress.step - begin_.step,
                  .loss = progress.epoch_loss_sum / samples,
                  .accuracy = static_cast<double>(progress.epoch_correct) / samples};
  fit.step_runner().settle();
  if (test_)
    report.test = train::evaluate(fit.step_runner().engine(), world_, *test_, fit.state(), &io_thread_);
  fit.end_epoch(report.test);
  return report;
}

bool Fitting::stops(train::Fit& fit, const std::function<Go()>& callback) const {
  fit.step_runner().settle();
  Go answer = Go::kOn;
  std::exception_ptr own;  // keeps its class, on this rank
  try {
    io::agreed(world_, [&] {
      const FloatingPointMode::Program program(mode_);
      try {
        answer = callback();
      } catch (...) {
        own = std::current_exception();
        throw;
      }
    });
  } catch (...) {
    throw CallbackError{own != nullptr ? own : std::current_exception()};
  }
  if (world_.size() == 1) return answer == Go::kStop;
  return std::ranges::any_of(world_.all_gather_values(std::vector{static_cast<char>(answer == Go::kStop)}),
                             [](char each) { return each != 0; });
}

void Fitting::take_over(train::Fit& fit) {
  fit.step_runner().settle();
  for (const float value : fit.state().parameters)
    if (!std::isfinite(value))
      throw DivergedError(
          "training diverged (a parameter is not finite); a smaller schedule.lr would be the first thing to "
          "try");
  model_.gather_from(world_, fit.state(), *optim::make_optimizer(options_.optimizer));
  model_.answering.clear();
  if (!model_.is_fitted) model_.class_names = data_.joined()->class_names();
  model_.input = fit.source().transform;
  model_.is_fitted = true;
  model_.options = options_;
  model_.isa = fit.isa();
  model_.data_digest = data_.joined()->digest();
  model_.progress = fit.progress();
  model_.fit_begin = begin_;
}

}  // namespace convoy
