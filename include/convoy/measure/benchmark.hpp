#pragma once
// Measurements for `convoy bench`: the machine's peak speed, and the speed of a network's layers and steps.
// Uses random numbers; no files and no training (the learning rate is 0). Each process measures alone; only
// measure_steps() uses MPI. The caller prints.
//
// Layers are timed as a step runs them: all teams of threads of a step (Engine) at once, each with its own
// micro-batch. Each layer is repeated alone, so its data is in a core's caches if it fits; inside a step the
// data may come from farther away.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/passes/operations.hpp"
#include "convoy/step/options.hpp"
#include "convoy/step/profile.hpp"

namespace convoy::measure {

/// Peak speed of cores and memory.
struct Ceiling {
  double multiply_adds = 0;  ///< of floats, per second; one is two operations of a FLOP/s figure
  double bytes = 0;  ///< bytes per second of STREAM's triad, counted as STREAM does: two reads, one write
};

/// Bytes of each of the triad's three arrays, too large for any cache: four times the last-level cache, as
/// McCalpin requires, limited to 32 … 256 MiB.
[[nodiscard]] std::int64_t triad_bytes();

/// Measures both on `threads` threads at once, for `seconds` each; returns the fastest of many laps.
[[nodiscard]] Ceiling measure_ceiling(const kernels::KernelTable<float>& kernels, int threads, double seconds,
                                      std::int64_t array_bytes = triad_bytes());

/// The work of a pass over one micro-batch.
struct PassWork {
  double multiply_adds = 0;  ///< useful ones: no padding, no idle lanes; counted as in the direct convolution
  double bytes = 0;          ///< lower bound: each array that it reads or writes, once
};

/// The ceiling that limits a pass.
enum class Roof { kCompute, kMemory };
/// "compute", "memory".
[[nodiscard]] std::string_view to_string(Roof roof);
/// The ceiling under which `work` takes longer (Williams et al. 2009, "Roofline").
[[nodiscard]] Roof roof_of(const PassWork& work, const Ceiling& ceiling);

/// The passes of an operation in training; no diff_src if no operation needs it. A layer that does not
/// multiply by its weights has one backward pass, listed as diff_src (as diff_weights if it computes only
/// these). A fused activation's derivative belongs to the first backward pass, diff_weights.
template <class Pass>
struct Passes {
  std::optional<Pass> forward, diff_src, diff_weights;
};

/// Work of an operation's passes over `samples` samples.
[[nodiscard]] Passes<PassWork> work_of(const nn::Network& network, const passes::Operation& operation,
                                       std::int64_t samples);

/// A pass by all teams at once, one micro-batch per team.
struct PassTime {
  PassWork work;       ///< total of all teams
  double seconds = 0;  ///< median. diff_src of a layer that multiplies by its weights is backward with
                       ///< diff_src minus backward without it; 0 if the difference is below the noise
};

/// A layer with the layers fused into its call.
struct LayerTimes {
  std::string name;         ///< "conv1 + relu1"
  std::string description;  ///< of the layer: "conv 20 5x5"
  Shape output;
  Passes<PassTime> passes;
};

/// Settings of step and layer measurements.
struct BenchmarkSetting {
  const kernels::KernelTable<float>& kernels;
  int threads = 1;
  double seconds = 0.1;  ///< minimum duration of one measurement
};

/// Number of thread groups that work on micro-batches of a step of `options` at the same time.
[[nodiscard]] std::int64_t teams_of(const step::Options& options, int threads);

/// Measures one operation after the other, in execution order; excludes the additions where branches join.
/// Throws std::bad_alloc if memory is short.
[[nodiscard]] std::vector<LayerTimes> measure_layers(const nn::Network& network, const step::Options& options,
                                                     const BenchmarkSetting& setting);

/// Whole steps, as in training.
struct StepTime {
  std::int64_t steps = 0;
  double seconds = 0;     ///< of one step, median
  PassWork work;          ///< multiply-adds of a step; bytes are not counted
  step::StepTimes times;  ///< total of all steps, by activity
};

/// Collective. Runs steps of options.batch samples over all ranks as in training, with learning rate 0.
/// Returns the same seconds on all ranks, and the times of this rank. Takes ten times `setting.seconds`, at
/// least five steps. Throws ConfigError if there are more ranks than micro-batches.
[[nodiscard]] StepTime measure_steps(const comm::Communicator& world, const nn::Network& network,
                                     const step::Options& options, const BenchmarkSetting& setting);

}  // namespace convoy::measure
