#pragma once
// The updates of a network's state on one data set: step after step, epoch after epoch, without files. A
// training run (trainer.hpp), its replay and the library (library/model.hpp) consist of such steps.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/data/stream.hpp"
#include "convoy/io/io_thread.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/schedule.hpp"
#include "convoy/step/epoch_order.hpp"
#include "convoy/step/hooks.hpp"
#include "convoy/step/step_runner.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::train {

class Fit {
 public:
  /// Collective over `world`. Fits `network` to `source` with the schedule, batch and seed of `options`.
  /// `best`: this rank's instruction set, see step::agreed_isa. All arguments must outlive the
  /// fit. The state is zero until it is assigned. Throws ConfigError, the same on every rank.
  Fit(const config::Options& options, const comm::Communicator& world, const nn::Network& network,
      step::Source source, kernels::Isa best, const step::Hooks& hooks);
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  [[nodiscard]] kernels::Isa isa() const { return isa_; }
  [[nodiscard]] const step::Source& source() const { return source_; }
  [[nodiscard]] step::StepRunner& step_runner() { return step_runner_; }
  [[nodiscard]] model::State& state() { return step_runner_.state(); }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  /// Updates that the state has after the last step of this fit.
  [[nodiscard]] std::int64_t total_steps() const { return begin_.step + steps_; }
  [[nodiscard]] const model::Progress& progress() const { return progress_; }
  [[nodiscard]] bool is_complete() const { return progress_.step >= total_steps(); }

  /// Goes on from `progress`, a position in a fit that began at `begin`. Precondition: not below `begin`.
  void go_on_from(const model::Progress& progress, const model::Position& begin = {});

  /// Collective. Starts reading for the steps up to `end` if the split is streamed; else null.
  [[nodiscard]] std::unique_ptr<data::Stream> feed(io::IoThread& io_thread, std::int64_t end) const;

  /// Orders the samples of the next step's epoch; false if they are ordered already. step() calls it.
  bool begin_epoch() { return order_.begin_epoch(next_epoch()); }

  /// One update.
  struct Update {
    std::int64_t epoch = 0;  ///< of the step, from 0, over all fits
    std::int64_t samples = 0;
    double loss = 0;  ///< mean over the samples, before the update
    double learning_rate = 0;
    bool ends_epoch = false;
  };
  /// Collective. Precondition: not complete. `stream`: feed(). `request`: as in step::StepInput. `rate`:
  /// instead of the schedule's. Throws DivergedError if the loss is not finite.
  Update step(data::Stream* stream, const std::function<int()>& request = {},
              std::optional<double> rate = {});
  /// True if ranks should compare their state after update number `step` (StepRunner::verify()).
  [[nodiscard]] bool verify_is_due(std::int64_t step) const;
  /// Before end_epoch(): notes the epoch if its evaluation is the best so far (checkpoint.best); true if so.
  bool note_best(const Evaluation& evaluation);
  /// After the last step of an epoch, when its sums in progress() have been read. The schedule plateau sees
  /// `evaluated`, or the training samples if nothing was evaluated.
  void end_epoch(const std::optional<Evaluation>& evaluated);
  /// Learning rate of the next step.
  [[nodiscard]] double rate() const { return schedule_.rate(done(), progress_.plateau.reductions); }

 private:
  [[nodiscard]] std::int64_t done() const { return progress_.step - begin_.step; }
  [[nodiscard]] std::int64_t next_epoch() const { return begin_.epoch + done() / steps_per_epoch_; }

  const config::Options& options_;
  comm::Communicator world_;
  const step::Hooks& hooks_;
  kernels::Isa isa_;
  step::Source source_;
  step::StepRunner step_runner_;
  std::int64_t steps_per_epoch_;
  std::int64_t steps_;
  optim::Schedule schedule_;
  step::EpochOrder order_;
  model::Position begin_;
  model::Progress progress_;
};

/// The network of `options` for `dataset`. Throws ConfigError as nn::Network, outputs_for(),
/// require_values_to_normalise() and model::parameter_ranges() do.
[[nodiscard]] nn::Network network_for(const data::Dataset& dataset, const config::Options& options);

/// Throws ConfigError for a layer whose statistics would always be of a single value: its images have one
/// pixel, and all micro-batches one sample, as `micro_batch` is 1 or there are no more `samples`.
void require_values_to_normalise(const nn::Network& network, std::int64_t micro_batch, std::int64_t samples);

}  // namespace convoy::train
