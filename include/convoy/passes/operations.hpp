#pragma once
// The layer calls of a network, with sums and activations fused into them if possible.
//
// A residual sum or an activation needs no separate pass over memory if the layer before can apply it to its
// results. This is decided here, once, from the network alone; layers do not depend on their neighbours.

#include <string>
#include <vector>

#include "convoy/core/team.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::passes {

/// One call of a layer.
struct Operation {
  static constexpr int kNone = -2;

  int node = 0;        ///< the node whose layer runs
  int output = 0;      ///< the node whose output is computed: `node`, or the last node fused into the call
  int addend = kNone;  ///< node (or nn::kNetworkInput) whose output is added before the activation
  Activation activation{};
};

/// True if the caller, not the layer's backward(), must apply the derivative of the fused activation.
[[nodiscard]] inline bool caller_differentiates(const Operation& operation, const nn::Traits& traits) {
  return !operation.activation.is_none() && !traits.differentiates_activation;
}

/// The calls of a forward pass, in order; a backward pass uses the reverse order. Views have no call.
[[nodiscard]] std::vector<Operation> plan_operations(const nn::Network& network);

/// The parts of the gradient vector that an operation assigns.
struct OperationRanges {
  Range parameters, statistics;
};
/// One entry per operation, in order.
[[nodiscard]] std::vector<OperationRanges> operation_ranges(const nn::Network& network);

/// Number of first operations that are faster for one lane block after the other, in evaluation of several
/// blocks: a block's activations stay in the cache. The operations after them have more weights than
/// activations; for several blocks together these are read, and transformed, once.
[[nodiscard]] int operations_apart(const nn::Network& network);

/// "conv1 + relu1", "batchnorm2 + add1 + relu3", …
[[nodiscard]] std::string describe(const nn::Network& network, const Operation& operation);

/// The calls for micro-batches of `micro_batch` samples and the algorithms chosen by `planner`, one line per
/// call.
[[nodiscard]] std::string describe_operations(const nn::Network& network, const kernels::Planner& planner,
                                              std::int64_t micro_batch, Precision precision);

}  // namespace convoy::passes
