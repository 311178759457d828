#pragma once
// What a machine can do, and what a network's layers and steps make of it: the figures behind `convoy bench`.
// Measured in this process alone, on random numbers; no files, no MPI, and nothing is trained (the learning
// rate is 0). Printing is the caller's business.
//
// Layers are timed as a step runs them: as many teams of threads as a step has (Engine), each with a
// micro-batch of its own, all at once. Each layer is repeated by itself, so its numbers are where a core
// keeps them if they fit; inside a step they may have to come from further away.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/nn/operations.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/profile.hpp"

namespace convoy::measure {

/// The most that cores and memory can do.
struct Ceiling {
  double multiply_adds = 0;  ///< of floats, a second; each is two operations of a FLOP/s figure
  double bytes = 0;          ///< a second, by STREAM's triad and its way of counting: two reads, one write
};

/// Bytes of each of the triad's three arrays that no cache holds: four times the last-level cache, as
/// McCalpin asks, within 32 and 256 MiB.
[[nodiscard]] std::int64_t triad_bytes();

/// Measures both on `threads` threads at once, `seconds` each; the fastest of many laps counts.
[[nodiscard]] Ceiling measure_ceiling(const kernels::KernelTable<float>& kernels, int threads, double seconds,
                                      std::int64_t array_bytes = triad_bytes());

/// What a pass over one micro-batch has to do.
struct PassWork {
  double multiply_adds = 0;  ///< useful ones: no padding, no idle lanes, counted as the direct sum has them
  double bytes = 0;          ///< at least: every array it reads or writes, once
};

/// Which ceiling a pass meets first.
enum class Roof { kCompute, kMemory };
/// "compute", "memory".
[[nodiscard]] std::string_view to_string(Roof roof);
/// The one that `work` alone would take longer under (Williams et al. 2009, "Roofline").
[[nodiscard]] Roof roof_of(const PassWork& work, const Ceiling& ceiling);

/// The passes an operation has in training; no diff_src where nobody wants it. A layer that does not multiply
/// by its weights has one backward pass, which stands under diff_src (under diff_weights where that is all it
/// is for). A fused activation's derivative belongs to the first of backward's passes, diff_weights.
template <class Pass>
struct Passes {
  std::optional<Pass> forward, diff_src, diff_weights;
};

/// The work of an operation's passes over `samples` samples.
[[nodiscard]] Passes<PassWork> work_of(const nn::Network& network, const nn::Operation& operation,
                                       std::int64_t samples);

/// A pass by all teams at once, a micro-batch each.
struct PassTime {
  PassWork work;       ///< of all teams together
  double seconds = 0;  ///< median. diff_src of a layer that multiplies by its weights is backward with it
                       ///< less backward without; 0 where the difference was lost in noise
};

/// A layer with what is fused into its call.
struct LayerTimes {
  std::string name;         ///< "conv1 + relu1"
  std::string description;  ///< of the layer: "conv 20 5x5"
  Shape output;
  Passes<PassTime> passes;
};

/// How steps and layers are run.
struct BenchmarkSetting {
  const kernels::KernelTable<float>& kernels;
  int threads = 1;
  double seconds = 0.1;  ///< to spend on one measurement, at least
};

/// Groups of threads that work on micro-batches of a step of `options` at the same time.
[[nodiscard]] std::int64_t teams_of(const step::Options& options, int threads);

/// One operation after the other, in the order they run; the additions where branches meet are the step's
/// alone. Throws std::bad_alloc where memory is short.
[[nodiscard]] std::vector<LayerTimes> measure_layers(const nn::Network& network, const step::Options& options,
                                                     const BenchmarkSetting& setting);

/// Whole steps of one rank, as train runs them.
struct StepTime {
  std::int64_t steps = 0;
  double seconds = 0;     ///< of a step, median
  PassWork work;          ///< multiply-adds of a step; bytes are not counted
  step::StepTimes times;  ///< where the time of all of them went
};

/// Collective. Steps of options.batch over all ranks, as in training but for the rate, which is 0: the same
/// seconds on all ranks, times of this one. Spends ten times `setting.seconds`, five steps at least. Throws
/// ConfigError where there are more ranks than micro-batches.
[[nodiscard]] StepTime measure_steps(const comm::Communicator& world, const nn::Network& network,
                                     const step::Options& options, const BenchmarkSetting& setting);

}  // namespace convoy::measure
