#pragma once
// Steps whose computation is a wait and whose communication is real: what a run would do on more ranks than
// there are cores, and with no computation, what communication takes alone.

#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/tree.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/measure/benchmark.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::measure {

/// How long one group of threads takes for a micro-batch, seconds, while the others work on theirs.
struct MicroBatchTimes {
  std::vector<double> forward;   ///< by operation (nn/operations.hpp); the first with the images' loading
  std::vector<double> backward;  ///< likewise; the last with the loss
  [[nodiscard]] double sum() const;
};

/// No computation at all, for so many operations.
[[nodiscard]] MicroBatchTimes no_computation(const nn::Network& network);

/// Medians of whole micro-batches on random images, on all of setting.threads; no MPI.
[[nodiscard]] MicroBatchTimes measure_micro_batch(const nn::Network& network, const step::Options& options,
                                                  const BenchmarkSetting& setting);

/// Collective. f of comm/reducer.hpp for steps of options.batch over these ranks. Throws ConfigError where
/// there are more ranks than micro-batches.
[[nodiscard]] comm::PartialSums partial_sums(const comm::Communicator& world, const nn::Network& network,
                                             const step::Options& options,
                                             const kernels::KernelTable<float>& kernels);

/// What a step does. kSumAlone: gradients are added and the sum goes to all ranks, nothing is updated, and
/// the step ends when all have it. kTraining: all of a training step, whose new values the next one waits for
/// layer by layer.
enum class CommReplayKind { kSumAlone, kTraining };

/// Collective. Seconds of a step of options.batch over all ranks, median; about `seconds` are spent. Each
/// rank waits as long as one thread would compute, and takes part in exchanges as in training (options.comm).
[[nodiscard]] double replay_communication(const comm::Communicator& world, const nn::Network& network,
                                          const step::Options& options,
                                          const kernels::KernelTable<float>& kernels,
                                          const MicroBatchTimes& times, CommReplayKind what, double seconds);

}  // namespace convoy::measure
