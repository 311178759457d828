#pragma once
// A trained network as other tools describe networks: named tensors and one operator per layer. The exports
// (onnx.hpp, safetensors.hpp, torch_module.hpp) write it; each knows only this form.

#include <map>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/layers/attributes.hpp"
#include "convoy/predict/trained_network.hpp"

namespace convoy::exchange {

/// A parameter or statistic.
struct ExportedTensor {
  std::string name;  ///< "conv1.weight", as PyTorch names it
  Dims dims;
  std::vector<float> values;
};

enum class Operator {
  kConvolution,         ///< weight [OC][IC][KH][KW], bias [OC] or none
  kDense,               ///< weight [OUT][IN], bias [OUT] or none; of the flattened input
  kBatchNormalization,  ///< weight, bias, running_mean, running_var [C]
  kRelu,
  kSigmoid,
  kTanh,
  kLeakyRelu,  ///< slope
  kRelu6,
  kElu,  ///< alpha
  kHardSigmoid,
  kGelu,
  kSwish,
  kHardSwish,
  kSoftmax,
  kMaxPool,
  kAveragePool,  ///< the padding counts
  kGlobalAveragePool,
  kFlatten,
  kAdaptiveAveragePool,  ///< size
  kGroupNormalization,   ///< groups (groupnorm alone), eps; weight and bias [C], or none
  kScale,                ///< factor
  kAdd,
  kMultiply,       ///< of equal shapes, or the second has one number per channel
  kConcatenation,  ///< of channels
  kUpsample,       ///< nearest neighbour
  kIdentity,       ///< dropout, which does nothing here
};

/// One layer. Its output has the same index among the layers.
struct ExportedLayer {
  std::string name;  ///< a valid name in Python: "conv1"
  Operator kind = Operator::kIdentity;
  std::vector<int> inputs{};  ///< layers; nn::kNetworkInput: the network's input
  Shape input{};              ///< shape of the first input
  Shape output{};
  std::map<std::string, nn::AttributeValue, std::less<>> attributes{};  ///< of the layer, by name
  std::vector<ExportedTensor> parameters{};
  std::vector<ExportedTensor> statistics{};

  /// An attribute that the layer has, as its type.
  template <class T>
  [[nodiscard]] T attribute(std::string_view attribute_name) const {
    return std::get<T>(attributes.find(attribute_name)->second);
  }
};

struct ExportedNetwork {
  std::vector<ExportedLayer> layers;
  data::InputTransform input;
  std::vector<std::string> class_names;
  std::string loss;
  std::string checkpoint;
  std::int64_t step = 0;

  [[nodiscard]] std::int64_t outputs() const { return layers.back().output.size(); }
};

/// The network of a checkpoint. Throws ConfigError for a layer that has no operator.
[[nodiscard]] ExportedNetwork exported(const predict::TrainedNetwork& trained, const std::string& checkpoint);

/// The names of the tensors in `network` as exported, in the order of its parameters and statistics: for the
/// import.
[[nodiscard]] std::vector<std::string> exported_names(const std::vector<nn::Tensor>& tensors);

}  // namespace convoy::exchange
