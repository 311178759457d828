#include "convoy/exchange/exported_network.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/nn/layer.hpp"

namespace convoy::exchange {
namespace {

struct Known {
  std::string_view keyword;
  Operator kind;
};

/// A new layer needs a line here, and its operator in each export.
constexpr Known kOperators[] = {
    {"conv", Operator::kConvolution},
    {"dense", Operator::kDense},
    {"batchnorm", Operator::kBatchNormalization},
    {"relu", Operator::kRelu},
    {"sigmoid", Operator::kSigmoid},
    {"tanh", Operator::kTanh},
    {"softmax", Operator::kSoftmax},
    {"maxpool", Operator::kMaxPool},
    {"avgpool", Operator::kAveragePool},
    {"globalavgpool", Operator::kGlobalAveragePool},
    {"flatten", Operator::kFlatten},
    {"add", Operator::kAdd},
    {"dropout", Operator::kIdentity},
};

Operator operator_of(const nn::Node& node) {
  const auto* found = std::ranges::find(kOperators, node.layer->keyword(), &Known::keyword);
  if (found == std::end(kOperators))
    throw ConfigError(fmt::format("layer {} ({}) cannot be exported: no operator is known for it", node.name,
                                  node.layer->keyword()));
  return found->kind;
}

/// Words that cannot name a layer in a Python file: the language's, and variables of torch_module().
constexpr std::string_view kTaken[] = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",   "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except",  "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda",  "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",    "yield",    "x",
    "self",  "torch",    "nn",    "images", "mean", "std",    "forward", "training"};

/// '-', '.' and '~', which are allowed in names of layers, are none in Python's.
std::string python_name(const std::string& name) {
  std::string valid = name;
  for (char& each : valid)
    if (each == '-' || each == '.' || each == '~') each = '_';
  if (std::ranges::find(kTaken, valid) != std::end(kTaken)) valid += '_';
  return valid.front() >= '0' && valid.front() <= '9' ? "_" + valid : valid;
}

std::vector<ExportedTensor> tensors_of(const std::string& layer, const std::vector<nn::Tensor>& tensors,
                                       std::span<const float> flat) {
  std::vector<ExportedTensor> own;
  for (const nn::Tensor& tensor : tensors) {
    if (tensor.layer != layer) continue;
    const auto values =
        flat.subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size()));
    own.push_back({.name = python_name(tensor.layer) + '.' + tensor.name,
                   .dims = tensor.dims,
                   .values = {values.begin(), values.end()}});
  }
  return own;
}

/// Throws ConfigError if two layers have the same name in Python.
void require_different_names(const std::vector<ExportedLayer>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (layers[i].name == layers[j].name)
        throw ConfigError(fmt::format(
            "two layers would be named {} ('-', '.' and '~' become '_'); rename one", layers[i].name));
}

const ExportedTensor& tensor_named(const ExportedLayer& layer, std::string_view name) {
  for (const auto* tensors : {&layer.parameters, &layer.statistics})
    for (const ExportedTensor& tensor : *tensors)
      if (tensor.name.ends_with('.' + std::string(name))) return tensor;
  throw Error(ExitStatus::kUsage, layer.name + " has no tensor " + std::string(name));
}

/// Layers that read the output of layer `index`.
std::int64_t readers_of(const ExportedNetwork& network, int index) {
  std::int64_t readers = 0;
  for (const ExportedLayer& layer : network.layers) readers += std::ranges::count(layer.inputs, index);
  return readers;
}

/// Multiplies `norm` into the weights of `before`.
void fold(ExportedLayer& before, const ExportedLayer& norm) {
  const ExportedTensor& gain = tensor_named(norm, "weight");
  const ExportedTensor& shift = tensor_named(norm, "bias");
  const ExportedTensor& mean = tensor_named(norm, "running_mean");
  const ExportedTensor& variance = tensor_named(norm, "running_var");
  const double eps = norm.attribute<double>("eps");
  ExportedTensor& weight = before.parameters.front();
  if (before.parameters.size() == 1)
    before.parameters.push_back({.name = before.name + ".bias",
                                 .dims = {weight.dims.front()},
                                 .values = std::vector<float>(gain.values.size())});
  ExportedTensor& bias = before.parameters[1];
  const std::size_t row = weight.values.size() / gain.values.size();
  for (std::size_t c = 0; c < gain.values.size(); ++c) {
    const double factor =
        static_cast<double>(gain.values[c]) / std::sqrt(static_cast<double>(variance.values[c]) + eps);
    for (std::size_t i = c * row; i < (c + 1) * row; ++i)
      weight.values[i] = static_cast<float>(static_cast<double>(weight.values[i]) * factor);
    bias.values[c] = static_cast<float>(
        (static_cast<double>(bias.values[c]) - static_cast<double>(mean.values[c])) * factor +
        static_cast<double>(shift.values[c]));
  }
}

}  // namespace

std::vector<std::string> exported_names(const std::vector<nn::Tensor>& tensors) {
  std::vector<std::string> names;
  for (const nn::Tensor& tensor : tensors) names.push_back(python_name(tensor.layer) + '.' + tensor.name);
  return names;
}

ExportedNetwork exported(const predict::TrainedNetwork& trained, const std::string& checkpoint) {
  ExportedNetwork network{.layers = {},
                          .input = trained.header.input,
                          .class_names = trained.header.class_names,
                          .loss = std::string(nn::to_string(trained.options.loss)),
                          .checkpoint = checkpoint,
                          .step = trained.header.progress.step};
  int index = 0;
  for (const nn::Node& node : trained.network.nodes()) {
    ExportedLayer layer{.name = python_name(node.name),
                        .kind = operator_of(node),
                        .inputs = node.inputs,
                        .input = trained.network.shape_of(node.inputs.front()),
                        .output = trained.network.shape_of(index++)};
    for (const nn::Attribute& attribute : nn::attributes_of(*node.layer))
      layer.attributes.emplace(attribute.name, attribute.value);
    layer.parameters = tensors_of(node.name, trained.network.parameters(), trained.state.parameters);
    layer.statistics = tensors_of(node.name, trained.network.statistics(), trained.state.statistics);
    network.layers.push_back(std::move(layer));
  }
  require_different_names(network.layers);
  return network;
}

void fold_batch_normalization(ExportedNetwork& network) {
  for (ExportedLayer& norm : network.layers) {
    if (norm.kind != Operator::kBatchNormalization || norm.inputs.front() == nn::kNetworkInput) continue;
    const int index = norm.inputs.front();
    ExportedLayer& before = network.layers[static_cast<std::size_t>(index)];
    const bool has_weights = before.kind == Operator::kConvolution || before.kind == Operator::kDense;
    if (!has_weights || readers_of(network, index) != 1) continue;
    fold(before, norm);
    norm.kind = Operator::kIdentity;
    norm.attributes.clear();
    norm.parameters.clear();
    norm.statistics.clear();
  }
}

}  // namespace convoy::exchange
