#pragma once
// The trained state of a network, flat, and one update of any part of it.

#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/sgd.hpp"
#include "convoy/optim/shard.hpp"

namespace convoy::model {

/// A stretch of the statistics that follows the data with one momentum (nn::Statistic).
struct StatisticRange {
  Range range;
  double momentum = 0;
};

/// Views of the values, and what this rank keeps of the optimizer's state.
struct State {
  AlignedBuffer<float> memory;  ///< parameters, then statistics; empty where they lie in somebody else's
  std::span<float> parameters;  ///< nn/network.hpp
  std::span<float> statistics;  ///< behind them in the same memory
  std::vector<StatisticRange> statistic_ranges;  ///< all of them, in order
  bool has_velocity = false;                     ///< sgd's momentum is above 0
  optim::Shard velocity;     ///< what this rank keeps of it, of parameters; all ranks together keep all
  std::vector<Range> owned;  ///< of what it keeps: all ranks' together are all parameters, each once
};

/// Room for all of `network`'s state, zeros; a velocity only where momentum needs one.
[[nodiscard]] State make_state(const nn::Network& network, double momentum);
/// Likewise with parameters and statistics in `values` ([gradient_size]) and the velocity of `kept` alone.
[[nodiscard]] State make_state(const nn::Network& network, double momentum, std::span<float> values,
                               const std::vector<Range>& kept, std::vector<Range> owned);

/// The stretches of `network`'s parameters with their rules for weight decay.
[[nodiscard]] std::vector<optim::ParameterRange> decay_ranges(const nn::Network& network);

/// What is done to the values in a step.
struct Update {
  const optim::SgdOptions* sgd = nullptr;  ///< null: the values become the sum, for measurements
  const std::vector<optim::ParameterRange>* ranges = nullptr;
  float rate = 0;
  float samples = 1;        ///< of the global batch
  bool first_step = false;  ///< of the run

  /// From the tree's sum over `elements` of the gradient vector (parameters, then statistics), given from
  /// elements.begin on: sgd on the parameters; running ← (1 − m)·running + m·sum/samples on the statistics,
  /// m being their momentum. Every element by itself, in float.
  void apply(const Range& elements, const float* sum, State& state) const;
};

}  // namespace convoy::model
