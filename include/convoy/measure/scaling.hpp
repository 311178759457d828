#pragma once
// What a step would take on any number of ranks: a model of training's own schedule (engine.hpp,
// reducer.hpp), fed with measured times of one micro-batch and of the network. Printing is the caller's
// business.
//
// One rank stands for all: the one with the most micro-batches on a host that sends the most. Its thread goes
// through the operations; between two of them messages get on, as in training. A host's wire carries one
// thing at a time, each way: a stage of a bucket takes latency + messages·gap + bytes/bandwidth (Culler et
// al. 1993, LogP). Nothing else uses the wire, and all ranks are equally fast.

#include <cstdint>

#include "convoy/comm/link.hpp"
#include "convoy/measure/comm_replay.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::measure {

/// What the model is fed with, seconds.
struct Costs {
  MicroBatchTimes micro_batch;  ///< on one thread while the rank's others are as busy
  double add = 0;               ///< of one number to another, in gradients
  double update = 0;            ///< of one parameter
  comm::Link link;              ///< between hosts
};

/// Measures all but the link, on all of setting.threads; no MPI.
[[nodiscard]] Costs measure_costs(const nn::Network& network, const step::Options& options,
                                  const BenchmarkSetting& setting);

/// Who shares a step.
struct Job {
  std::int64_t ranks = 1;
  std::int64_t ranks_a_host = 1;
  std::int64_t threads = 1;  ///< a rank
  std::int64_t leaves = 1;   ///< micro-batches of a step

  [[nodiscard]] std::int64_t hosts() const { return (ranks + ranks_a_host - 1) / ranks_a_host; }
};

struct Prediction {
  double step = 0;           ///< seconds from one to the next
  double compute = 0;        ///< of them, what the busiest rank computes: kernels, additions, updates
  double communication = 0;  ///< what the step's messages take alone
  double partial_sums = 1;   ///< that the busiest host sends
  /// What of the step is neither hidden behind computation nor computation.
  [[nodiscard]] double exposed() const { return step - compute; }
};

[[nodiscard]] Prediction predict(const nn::Network& network, const step::Options& options, const Costs& costs,
                                 const Job& job);

}  // namespace convoy::measure
