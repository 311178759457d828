#pragma once
// The makers of all layers, one file each; listed in registry.cpp. Private to the nn room.

#include "convoy/nn/registry.hpp"

namespace convoy::nn {

[[nodiscard]] LayerMaker avgpool_maker();
[[nodiscard]] LayerMaker batchnorm_maker();
[[nodiscard]] LayerMaker conv_maker();
[[nodiscard]] LayerMaker dense_maker();
[[nodiscard]] LayerMaker dropout_maker();
[[nodiscard]] LayerMaker flatten_maker();
[[nodiscard]] LayerMaker globalavgpool_maker();
[[nodiscard]] LayerMaker maxpool_maker();
[[nodiscard]] LayerMaker relu_maker();
[[nodiscard]] LayerMaker sigmoid_maker();
[[nodiscard]] LayerMaker softmax_maker();
[[nodiscard]] LayerMaker tanh_maker();

/// The sum at the end of a residual block; has no keyword, the Network makes it.
[[nodiscard]] std::unique_ptr<Layer> make_add(const Shape& shape);

}  // namespace convoy::nn
