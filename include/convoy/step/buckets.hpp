#pragma once
// How a network's gradient is cut for its way across the ranks. From shapes alone; decides no bit.

#include <cstdint>
#include <vector>

#include "convoy/core/team.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::step {

/// What an operation (nn/operations.hpp) assigns of a gradient vector.
struct OperationRanges {
  Range parameters, statistics;
};
/// By operation, in order.
[[nodiscard]] std::vector<OperationRanges> operation_ranges(const nn::Network& network);

/// A stretch of the gradient vector that crosses the ranks as one.
struct Bucket {
  Range elements;
  int operation = 0;  ///< whose backward pass completes it
};

/// The gradient of `network` in buckets of about `bytes` at most, in the order in which backward completes
/// them: neighbouring small tensors together, large ones cut evenly between blocks of norms
/// (optim/optimizer.hpp), so that a bucket may be up to three of those blocks larger. From shapes alone.
[[nodiscard]] std::vector<Bucket> plan_buckets(const nn::Network& network, std::int64_t bytes);

/// How many micro-batches go back layer by layer, so that gradients are complete early (step/engine.hpp). It
/// takes memory and cache hits, so 1 where there is nothing to win: within one host, or where the gradient
/// crosses a slow wire within the backward pass of one micro-batch.
[[nodiscard]] std::int64_t layerwise_micro_batches(const nn::Network& network, std::int64_t micro_batch,
                                                   int hosts, const CommOptions& options);

}  // namespace convoy::step
