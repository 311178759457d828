#pragma once
// Everything that updates of a run's state need: data, network, step runner, learning rate, sample order. The
// Trainer and the replay of its steps use the same setup. Private to the train room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/schedule.hpp"
#include "convoy/step/epoch_order.hpp"
#include "convoy/step/hooks.hpp"
#include "convoy/step/step_runner.hpp"

namespace convoy::train {

struct TrainingSetup {
  /// Collective over `world`. Reads `splits`, which include "train". `best`: this rank's instruction set; the
  /// lowest of all ranks is used. Options and hooks must outlive it. Throws ConfigError, DataError, IoError,
  /// the same on every rank.
  TrainingSetup(const config::Options& options, const comm::Communicator& world,
                const std::vector<std::string>& splits, kernels::Isa best, const step::Hooks& hooks);
  TrainingSetup(const TrainingSetup&) = delete;
  TrainingSetup& operator=(const TrainingSetup&) = delete;

  /// Input of the step after `done` updates, in the current epoch of `order`; no request, no verification.
  /// `stream`: for a streamed split.
  [[nodiscard]] step::StepInput input_after(std::int64_t done, data::Stream* stream) const;

  const config::Options& options;
  data::Dataset dataset;
  nn::Network network;
  kernels::Isa isa;
  step::Source source;
  step::StepRunner step_runner;
  std::int64_t steps_per_epoch;
  optim::Schedule schedule;
  step::EpochOrder order;
};

}  // namespace convoy::train
