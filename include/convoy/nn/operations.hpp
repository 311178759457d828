#pragma once
// The calls a network is made of: its layers, with what can be computed in the same call fused into them.
//
// The sum at the end of a residual block and an activation need no pass over memory of their own where the
// layer before them can apply them to its results. This is decided here, once, from the network alone; layers
// know nothing of their neighbours.

#include <string>
#include <vector>

#include "convoy/nn/network.hpp"

namespace convoy::nn {

/// One call of a layer.
struct Operation {
  static constexpr int kNone = -2;

  int node = 0;    ///< whose layer runs
  int output = 0;  ///< whose output it gives: `node`, or the last node fused into the call
  int addend =
      kNone;  ///< node (or kNetworkInput) whose output is added to the layer's, before the activation
  kernels::Activation activation{};
};

/// True if the caller, not the layer's backward(), must apply the derivative of the fused activation.
[[nodiscard]] inline bool caller_differentiates(const Operation& operation, const Traits& traits) {
  return !operation.activation.is_none() && !traits.differentiates_activation;
}

/// The calls of a forward pass, in order; a backward pass makes them in the opposite order. Views have none.
[[nodiscard]] std::vector<Operation> plan_operations(const Network& network);

/// "conv1 + relu1", "batchnorm2 + add1 + relu3", …
[[nodiscard]] std::string describe(const Network& network, const Operation& operation);

/// The calls of micro-batches of `micro_batch` samples and how `planner` has them computed, a line each.
[[nodiscard]] std::string describe_operations(const Network& network, const kernels::Planner& planner,
                                              std::int64_t micro_batch, kernels::Precision precision);

}  // namespace convoy::nn
