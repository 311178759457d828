#pragma once
// Predicts the time of a step on any number of ranks: a model of training's schedule (step/engine.hpp,
// comm/reducer.hpp) with measured times of one micro-batch and of the network. The caller prints.
//
// The model simulates one rank: the rank with the most micro-batches on a node that sends the most. Its
// thread executes the operations; messages progress between two operations, as in training. A node's link
// carries one transfer at a time in each direction: a stage of a bucket takes latency + messages·gap +
// bytes/bandwidth (Culler et al. 1993, LogP). Nothing else uses the link, and all ranks are equally fast.

#include <cstdint>

#include "convoy/comm/link.hpp"
#include "convoy/measure/comm_replay.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::measure {

/// Input of the model, seconds.
struct Costs {
  MicroBatchTimes micro_batch;  ///< on one thread while the rank's other threads are equally busy
  double add = 0;               ///< of adding one number to another, in gradients
  double update = 0;            ///< of updating one parameter
  comm::Link link;              ///< between nodes
};

/// Measures all costs except the link, on all of setting.threads; no MPI.
[[nodiscard]] Costs measure_costs(const nn::Network& network, const step::Options& options,
                                  const BenchmarkSetting& setting);

/// The ranks and threads that share a step.
struct Job {
  std::int64_t ranks = 1;
  std::int64_t ranks_a_host = 1;
  std::int64_t threads = 1;  ///< per rank
  std::int64_t leaves = 1;   ///< micro-batches of a step

  [[nodiscard]] std::int64_t hosts() const { return (ranks + ranks_a_host - 1) / ranks_a_host; }
};

struct Prediction {
  double step = 0;           ///< seconds per step
  double compute = 0;        ///< computation of the busiest rank within the step: kernels, additions, updates
  double communication = 0;  ///< time of the step's messages alone
  double partial_sums = 1;   ///< sent by the busiest node
  /// Part of the step that is not computation and not hidden by it.
  [[nodiscard]] double exposed() const { return step - compute; }
};

[[nodiscard]] Prediction predict(const nn::Network& network, const step::Options& options, const Costs& costs,
                                 const Job& job);

}  // namespace convoy::measure
