#pragma once
// The trained state of a network in flat arrays, and one update of any part of it.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/optimizer.hpp"
#include "convoy/optim/shard.hpp"

namespace convoy::model {

/// A range of the statistics that are running averages with the same momentum (nn::Statistic).
struct StatisticRange {
  Range range;
  double momentum = 0;
};

/// The part of one optimizer state that this rank keeps; all ranks together keep the whole state.
struct OptimizerState {
  std::string name;     ///< /optimizer/<name> in a checkpoint
  optim::Shard values;  ///< by parameter
};

/// Views of the values, and this rank's part of the optimizer's states.
struct State {
  AlignedBuffer<float> memory;  ///< parameters, then statistics; empty if the caller's memory is used
  std::span<float> parameters;  ///< nn/network.hpp
  std::span<float> statistics;  ///< after the parameters in the same memory
  std::vector<optim::ParameterRange> parameter_ranges;  ///< all tensors, in order; at first without groups
  std::vector<StatisticRange> statistic_ranges;         ///< all, in order
  std::vector<OptimizerState> optimizer;                ///< the states that the optimizer declares, in order
  std::vector<Range> owned;  ///< owned part of the kept elements; over all ranks, each parameter occurs once

  /// Elements of the optimizer's states that this rank keeps.
  [[nodiscard]] std::int64_t kept() const;
};

/// Allocates the whole state of `network` and all states of `optimizer`, zeroed. `optimizer` null: no
/// optimizer states, for a network that is not trained.
[[nodiscard]] State make_state(const nn::Network& network, const optim::Optimizer* optimizer = nullptr);
/// The same with parameters and statistics in `values` ([gradient_size]) and optimizer states only for
/// `kept`.
[[nodiscard]] State make_state(const nn::Network& network, const optim::Optimizer* optimizer,
                               std::span<float> values, const std::vector<Range>& kept,
                               std::vector<Range> owned);

/// One update of the values.
struct Update {
  const optim::Optimizer* optimizer = nullptr;  ///< null: the values become the sum, for measurements
  optim::StepInfo info{};
  const optim::Norms* norms = nullptr;  ///< all stages, if the optimizer uses norms

  /// Updates `elements` from their sum over the tree; `elements` index the gradient vector (parameters, then
  /// statistics) and `sum` starts at elements.begin. Parameters: the optimizer's update, unless frozen.
  /// Statistics: running ← (1 − m)·running + m·sum/samples, with m their momentum. Elements are independent,
  /// in float.
  void apply(const Range& elements, const float* sum, State& state) const;

  /// Measures stage `stage` of norms (optim/optimizer.hpp) for one block of at most optim::kNormBlock
  /// parameters of tensor number `tensor`. `sum` starts at the block. Assigns `squares`; 0 if it is frozen.
  void measure(int stage, std::int64_t tensor, const Range& block, const float* sum, State& state,
               std::span<double> squares) const;
};

}  // namespace convoy::model
