#pragma once
// Steps with real communication and waits instead of computation. They show the speed of a run on more ranks
// than there are cores, and, without waits, the time of communication alone.

#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/measure/benchmark.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::measure {

/// Time of one thread group for one micro-batch, seconds, while the other groups are busy too.
struct MicroBatchTimes {
  std::vector<double>
      forward;  ///< by operation (passes/operations.hpp); the first includes loading the images
  std::vector<double> backward;  ///< by operation; the last includes the loss
  [[nodiscard]] double sum() const;
};

/// Zero times for all operations of `network`.
[[nodiscard]] MicroBatchTimes no_computation(const nn::Network& network);

/// Medians over whole micro-batches of random images, on all of setting.threads; no MPI.
[[nodiscard]] MicroBatchTimes measure_micro_batch(const nn::Network& network, const step::Options& options,
                                                  const BenchmarkSetting& setting);

/// Collective. f of comm/reducer.hpp for steps of options.batch samples over these ranks. Throws ConfigError
/// if there are more ranks than micro-batches.
[[nodiscard]] comm::PartialSums partial_sums(const comm::Communicator& world, const nn::Network& network,
                                             const step::Options& options,
                                             const kernels::KernelTable<float>& kernels);

/// The communication of a step. kSumAlone: gradients are added and the sum is sent to all ranks; no update;
/// the step ends when all ranks have it. kTraining: a full training step; the next step waits for the new
/// values layer by layer.
enum class CommReplayKind { kSumAlone, kTraining };

/// Collective. Median seconds of a step of options.batch samples over all ranks; takes about `seconds`. Each
/// rank waits as long as one thread would compute, and exchanges gradients as in training (options.comm).
[[nodiscard]] double replay_communication(const comm::Communicator& world, const nn::Network& network,
                                          const step::Options& options,
                                          const kernels::KernelTable<float>& kernels,
                                          const MicroBatchTimes& times, CommReplayKind what, double seconds);

}  // namespace convoy::measure
