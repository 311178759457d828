#include "convoy/exchange/exported_network.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/layers/layer.hpp"

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
    {"leakyrelu", Operator::kLeakyRelu},
    {"relu6", Operator::kRelu6},
    {"elu", Operator::kElu},
    {"hardsigmoid", Operator::kHardSigmoid},
    {"gelu", Operator::kGelu},
    {"swish", Operator::kSwish},
    {"hardswish", Operator::kHardSwish},
    {"softmax", Operator::kSoftmax},
    {"maxpool", Operator::kMaxPool},
    {"avgpool", Operator::kAveragePool},
    {"globalavgpool", Operator::kGlobalAveragePool},
    {"flatten", Operator::kFlatten},
    {"adaptiveavgpool", Operator::kAdaptiveAveragePool},
    {"groupnorm", Operator::kGroupNormalization},
    {"layernorm", Operator::kGroupNormalization},
    {"instancenorm", Operator::kGroupNormalization},
    {"scale", Operator::kScale},
    {"add", Operator::kAdd},
    {"multiply", Operator::kMultiply},
    {"concat", Operator::kConcatenation},
    {"upsample", Operator::kUpsample},
    {"dropout", Operator::kIdentity},
};

Operator operator_of(const nn::Node& node) {
  const auto* found = std::ranges::find(kOperators, node.layer->keyword(), &Known::keyword);
  if (found == std::end(kOperators))
    throw ConfigError(fmt::format("layer {} ({}) cannot be exported: no operator is known for it", node.name,
                                  node.layer->keyword()));
  return found->kind;
}

/// Words that cannot name a layer: of Python, variables of torch_module(), attributes of PyTorch's Module,
/// and values of an ONNX graph.
constexpr std::string_view kTaken[] = {
    "False",   "None",       "True",    "and",      "as",         "assert",    "async",
    "await",   "break",      "class",   "continue", "def",        "del",       "elif",
    "else",    "except",     "finally", "for",      "from",       "global",    "if",
    "import",  "in",         "is",      "lambda",   "nonlocal",   "not",       "or",
    "pass",    "raise",      "return",  "try",      "while",      "with",      "yield",  //
    "x",       "self",       "torch",   "nn",       "images",     "mean",      "std",
    "load",    "Network",    "SCALE",   "MEAN",     "STD",  //
    "forward", "training",   "train",   "eval",     "type",       "half",      "float",
    "double",  "bfloat16",   "apply",   "cpu",      "cuda",       "to",        "children",
    "modules", "parameters", "buffers", "compile",  "state_dict", "zero_grad", "requires_grad_",  //
    "input",   "output"};

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

/// A weight that is no parameter.
ExportedTensor ones(const std::string& name, std::int64_t size) {
  return {.name = name, .dims = {size}, .values = std::vector<float>(static_cast<std::size_t>(size), 1.0F)};
}

/// Throws ConfigError if two layers have the same name in Python.
void require_different_names(const std::vector<ExportedLayer>& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (layers[i].name == layers[j].name)
        throw ConfigError(fmt::format(
            "two layers would be named {} ('-', '.' and '~' become '_'); rename one", layers[i].name));
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
                          .loss = std::string(nn::to_string(trained.options.loss.kind)),
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
    if (layer.kind == Operator::kGroupNormalization)
      layer.attributes.emplace("groups", node.layer->keyword() == "layernorm" ? 1 : layer.input.c);
    layer.parameters = tensors_of(node.name, trained.network.parameters(), trained.state.parameters);
    if (layer.kind == Operator::kBatchNormalization && !layer.attribute<bool>("scale"))
      layer.parameters.insert(layer.parameters.begin(), ones(layer.name + ".weight", layer.input.c));
    layer.statistics = tensors_of(node.name, trained.network.statistics(), trained.state.statistics);
    network.layers.push_back(std::move(layer));
  }
  require_different_names(network.layers);
  return network;
}

}  // namespace convoy::exchange
