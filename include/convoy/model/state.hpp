#pragma once
// The trained state of a network, flat, and one update of any part of it.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/optimizer.hpp"
#include "convoy/optim/shard.hpp"

namespace convoy::model {

/// A stretch of the statistics that follows the data with one momentum (nn::Statistic).
struct StatisticRange {
  Range range;
  double momentum = 0;
};

/// What this rank keeps of one of the optimizer's states; all ranks together keep all of it.
struct OptimizerState {
  std::string name;     ///< /optimizer/<name> in a checkpoint
  optim::Shard values;  ///< of parameters
};

/// Views of the values, and what this rank keeps of the optimizer's states.
struct State {
  AlignedBuffer<float> memory;  ///< parameters, then statistics; empty if they lie in somebody else's
  std::span<float> parameters;  ///< nn/network.hpp
  std::span<float> statistics;  ///< behind them in the same memory
  std::vector<optim::ParameterRange> parameter_ranges;  ///< all tensors, in order
  std::vector<StatisticRange> statistic_ranges;         ///< all of them, in order
  std::vector<OptimizerState> optimizer;                ///< the states that the optimizer declares, in order
  std::vector<Range> owned;  ///< of what this rank keeps: all ranks' together are all parameters, each once

  /// Elements of the optimizer's states that this rank keeps.
  [[nodiscard]] std::int64_t kept() const;
};

/// Room for all of `network`'s state, zeros, and for all states of `optimizer`; null: none, for a network
/// that is not trained.
[[nodiscard]] State make_state(const nn::Network& network, const optim::Optimizer* optimizer = nullptr);
/// Likewise with parameters and statistics in `values` ([gradient_size]) and the optimizer's states of `kept`
/// alone.
[[nodiscard]] State make_state(const nn::Network& network, const optim::Optimizer* optimizer,
                               std::span<float> values, const std::vector<Range>& kept,
                               std::vector<Range> owned);

/// One update of the values.
struct Update {
  const optim::Optimizer* optimizer = nullptr;  ///< null: the values become the sum, for measurements
  optim::StepInfo info{};
  const optim::Norms* norms = nullptr;  ///< of all stages of an optimizer that has some

  /// From the tree's sum over `elements` of the gradient vector (parameters, then statistics), given from
  /// elements.begin on: the optimizer's update of the parameters; running ← (1 − m)·running + m·sum/samples
  /// of the statistics, m their momentum. Every element by itself, in float.
  void apply(const Range& elements, const float* sum, State& state) const;

  /// Stage `stage` of norms (optim/optimizer.hpp) for a block of parameters, at most optim::kNormBlock of
  /// tensor number `tensor`; `sum` begins with the block. Assigns `squares`.
  void measure(int stage, std::int64_t tensor, const Range& block, const float* sum, State& state,
               std::span<double> squares) const;
};

}  // namespace convoy::model
