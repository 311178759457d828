#pragma once
// A network for inference alone: batch normalisations multiplied into the layers before them.

#include "convoy/model/state.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::predict {

struct FoldedNetwork {
  nn::Network network;
  model::State state;  ///< parameters and statistics
};

/// Multiplies every batch normalisation that alone reads a convolution or dense layer into its weights and
/// bias, in double, rounded once. All other layers keep their names and values. In exact arithmetic the
/// outputs in evaluation are the same.
[[nodiscard]] FoldedNetwork fold_batch_normalization(const nn::Network& network, const model::State& state);

}  // namespace convoy::predict
