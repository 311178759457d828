#pragma once
// All layers, one file each: their factories, and the makers of their keywords, which parse a line and call
// the factories (listed in registry.cpp). Called by NetworkBuilder; programs use that.
//
// `make_…` makes the layer for an input of shape `input`; it throws LayerError if a value is out of range or
// the layer does not fit the input.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "convoy/layers/layer_options.hpp"
#include "convoy/layers/registry.hpp"

namespace convoy::nn {

[[nodiscard]] LayerMaker adaptiveavgpool_maker();
[[nodiscard]] LayerMaker avgpool_maker();
[[nodiscard]] LayerMaker batchnorm_maker();
[[nodiscard]] LayerMaker conv_maker();
[[nodiscard]] LayerMaker dense_maker();
[[nodiscard]] LayerMaker dropout_maker();
[[nodiscard]] LayerMaker flatten_maker();
[[nodiscard]] LayerMaker globalavgpool_maker();
[[nodiscard]] LayerMaker maxpool_maker();
[[nodiscard]] LayerMaker scale_maker();
[[nodiscard]] LayerMaker softmax_maker();
[[nodiscard]] LayerMaker upsample_maker();
/// The makers of all activations, by keyword.
[[nodiscard]] std::vector<std::pair<std::string, LayerMaker>> activation_makers();

/// The makers of groupnorm, layernorm and instancenorm, by keyword.
[[nodiscard]] std::vector<std::pair<std::string, LayerMaker>> groupnorm_makers();

/// `keyword`: an activation, with the default of its parameter.
[[nodiscard]] std::unique_ptr<Layer> make_activation(std::string_view keyword, const Shape& input);
[[nodiscard]] std::unique_ptr<Layer> make_adaptiveavgpool(const Shape& input, const HeightWidth& size);
[[nodiscard]] std::unique_ptr<Layer> make_avgpool(const Shape& input, const HeightWidth& window,
                                                  const PoolOptions& options);
[[nodiscard]] std::unique_ptr<Layer> make_batchnorm(const Shape& input, const BatchNormOptions& options);
[[nodiscard]] std::unique_ptr<Layer> make_conv(const Shape& input, std::int64_t channels,
                                               const HeightWidth& kernel, const ConvOptions& options);
[[nodiscard]] std::unique_ptr<Layer> make_dense(const Shape& input, std::int64_t outputs,
                                                const DenseOptions& options);
/// `ordinal`: the part of the mask key that differs between the layers of a network.
[[nodiscard]] std::unique_ptr<Layer> make_dropout(const Shape& input, double rate, std::uint64_t ordinal);
[[nodiscard]] std::unique_ptr<Layer> make_flatten(const Shape& input);
[[nodiscard]] std::unique_ptr<Layer> make_globalavgpool(const Shape& input);
[[nodiscard]] std::unique_ptr<Layer> make_maxpool(const Shape& input, const HeightWidth& window,
                                                  const PoolOptions& options);
[[nodiscard]] std::unique_ptr<Layer> make_groupnorm(const Shape& input, std::int64_t groups,
                                                    const GroupNormOptions& options);
[[nodiscard]] std::unique_ptr<Layer> make_scale(const Shape& input, double factor);
[[nodiscard]] std::unique_ptr<Layer> make_softmax(const Shape& input);
[[nodiscard]] std::unique_ptr<Layer> make_upsample(const Shape& input, const HeightWidth& factor);

/// The sum at the end of a residual block; has no keyword in the text form.
[[nodiscard]] std::unique_ptr<Layer> make_add(const Shape& shape);
/// The joined channels at the end of two branches of one height and width; likewise.
[[nodiscard]] std::unique_ptr<Layer> make_concat(const Shape& first, const Shape& second);
/// The product at the end of a gate, of the block's input and the body's output: of the same shape, or one
/// number per channel; likewise.
[[nodiscard]] std::unique_ptr<Layer> make_multiply(const Shape& shape, const Shape& gate);

}  // namespace convoy::nn
