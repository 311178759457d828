#pragma once
// Splits a network's gradient into buckets for the reduction across ranks. Depends on shapes only; does not
// change the result's bits.

#include <cstdint>
#include <vector>

#include "convoy/core/team.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/options.hpp"

namespace convoy::step {

/// A contiguous range of the gradient vector that is reduced across ranks in one piece.
struct Bucket {
  Range elements;
  int operation = 0;  ///< its backward pass completes this bucket
};

/// Splits the gradient of `network` into buckets of at most about `bytes`, in the order in which backward
/// completes them. Neighbouring small tensors share a bucket; large tensors are split evenly at the
/// boundaries of norm blocks (optim/optimizer.hpp). A bucket may exceed `bytes` by up to three norm blocks.
/// Depends on shapes only.
[[nodiscard]] std::vector<Bucket> plan_buckets(const nn::Network& network, std::int64_t bytes);

/// Number of micro-batches that go through backward together, layer by layer, so that gradients are complete
/// early (step/engine.hpp). This costs memory and cache hits. Returns 1 if there is no gain: within one node,
/// or if a slow network transfers the gradient within the backward pass of one micro-batch.
[[nodiscard]] std::int64_t layerwise_micro_batches(const nn::Network& network, std::int64_t micro_batch,
                                                   int hosts, const CommOptions& options);

}  // namespace convoy::step
