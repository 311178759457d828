#include "convoy/exchange/torch_module.hpp"

#include <fmt/core.h>

#include <string_view>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"

namespace convoy::exchange {
namespace {

std::string pair_of(const nn::HeightWidth& size) {
  return fmt::format("({}, {})", size.h, size.w);
}

std::string window_of(const ExportedLayer& layer, std::string_view size) {
  return fmt::format("{}, stride={}, padding={}", pair_of(layer.attribute<nn::HeightWidth>(size)),
                     pair_of(layer.attribute<nn::HeightWidth>("stride")),
                     pair_of(layer.attribute<nn::HeightWidth>("pad")));
}

/// Arguments of a convolution that differ from their defaults.
std::string special_convolution(const ExportedLayer& layer) {
  const auto dilation = layer.attribute<nn::HeightWidth>("dilation");
  const auto groups = layer.attribute<std::int64_t>("groups");
  return (dilation == nn::HeightWidth{1, 1} ? "" : ", dilation=" + pair_of(dilation)) +
         (groups == 1 ? "" : ", groups=" + std::to_string(groups));
}

/// The layer's module; empty: none, forward() writes it as an expression.
std::string module_of(const ExportedLayer& layer) {
  const bool has_bias = layer.parameters.size() == 2;
  switch (layer.kind) {
    case Operator::kConvolution:
      return fmt::format("nn.Conv2d({}, {}, {}{}, bias={})", layer.input.c, layer.output.c,
                         window_of(layer, "kernel"), special_convolution(layer), has_bias ? "True" : "False");
    case Operator::kDense:
      return fmt::format("nn.Linear({}, {}, bias={})", layer.input.size(), layer.output.size(),
                         has_bias ? "True" : "False");
    case Operator::kBatchNormalization:
      return fmt::format("nn.BatchNorm{}d({}, eps={}, momentum={})",
                         layer.input.h * layer.input.w == 1 ? "1" : "2", layer.input.c,
                         shortest(layer.attribute<double>("eps")),
                         shortest(layer.attribute<double>("momentum")));
    case Operator::kMaxPool:
      return fmt::format("nn.MaxPool2d({})", window_of(layer, "window"));
    case Operator::kAveragePool:
      return fmt::format("nn.AvgPool2d({}, count_include_pad=True)", window_of(layer, "window"));
    case Operator::kGlobalAveragePool:
      return "nn.AdaptiveAvgPool2d(1)";
    case Operator::kAdaptiveAveragePool:
      return fmt::format("nn.AdaptiveAvgPool2d({})", pair_of(layer.attribute<nn::HeightWidth>("size")));
    case Operator::kGroupNormalization:
      return fmt::format("nn.GroupNorm({}, {}, eps={}, affine={})", layer.attribute<std::int64_t>("groups"),
                         layer.input.c, shortest(layer.attribute<double>("eps")),
                         has_bias ? "True" : "False");
    default:
      return "";
  }
}

/// A variable of forward(): an image [N][C][H][W] or a vector [N][K].
struct Variable {
  std::string text;
  bool is_image = true;
  Shape own_shape{};  ///< of one sample

  [[nodiscard]] std::string flat() const { return is_image ? fmt::format("{}.flatten(1)", text) : text; }
  [[nodiscard]] std::string image(const Shape& shape) const {
    return is_image ? text : fmt::format("{}.unflatten(1, ({}, {}, {}))", text, shape.c, shape.h, shape.w);
  }
};

/// Functions of one element without a parameter.
constexpr std::pair<Operator, const char*> kFunctions[] = {
    {Operator::kRelu, "torch.relu"},
    {Operator::kSigmoid, "torch.sigmoid"},
    {Operator::kTanh, "torch.tanh"},
    {Operator::kRelu6, "nn.functional.relu6"},
    {Operator::kHardSigmoid, "nn.functional.hardsigmoid"},
    {Operator::kGelu, "nn.functional.gelu"},
    {Operator::kSwish, "nn.functional.silu"},
    {Operator::kHardSwish, "nn.functional.hardswish"},
};

Variable expression_of(const ExportedLayer& layer, const std::vector<Variable>& inputs) {
  const Variable& x = inputs.front();
  for (const auto& [kind, function] : kFunctions)
    if (layer.kind == kind) return {fmt::format("{}({})", function, x.text), x.is_image};
  const auto parameterised = [&](const char* function, const char* name) {
    return Variable{
        fmt::format("nn.functional.{}({}, {})", function, x.text, shortest(layer.attribute<double>(name))),
        x.is_image};
  };
  switch (layer.kind) {
    case Operator::kDense:
      return {fmt::format("self.{}({})", layer.name, x.flat()), false};
    case Operator::kBatchNormalization:
      return layer.input.h * layer.input.w == 1
                 ? Variable{fmt::format("self.{}({})", layer.name, x.flat()), false}
                 : Variable{fmt::format("self.{}({})", layer.name, x.text), true};
    case Operator::kConvolution:
    case Operator::kMaxPool:
    case Operator::kAveragePool:
    case Operator::kGlobalAveragePool:
    case Operator::kAdaptiveAveragePool:
      return {fmt::format("self.{}({})", layer.name, x.image(layer.input)), true};
    case Operator::kGroupNormalization:
      return {fmt::format("self.{}({})", layer.name, x.text), x.is_image};
    case Operator::kScale:
      return {fmt::format("{} * {}", x.text, shortest(layer.attribute<double>("factor"))), x.is_image};
    case Operator::kMultiply: {
      const Variable& gate = inputs[1];
      return {fmt::format("{} * {}", x.image(layer.input), gate.image(gate.own_shape)), true};
    }
    case Operator::kLeakyRelu:
      return parameterised("leaky_relu", "slope");
    case Operator::kElu:
      return parameterised("elu", "alpha");
    case Operator::kSoftmax:
      return {fmt::format("torch.softmax({}, 1)", x.flat()), false};
    case Operator::kFlatten:
      return {x.flat(), false};
    case Operator::kAdd:
      return x.is_image && inputs[1].is_image
                 ? Variable{fmt::format("{} + {}", x.text, inputs[1].text), true}
                 : Variable{fmt::format("{} + {}", x.flat(), inputs[1].flat()), false};
    case Operator::kConcatenation:
      return x.is_image && inputs[1].is_image
                 ? Variable{fmt::format("torch.cat([{}, {}], 1)", x.text, inputs[1].text), true}
                 : Variable{fmt::format("torch.cat([{}, {}], 1)", x.flat(), inputs[1].flat()), false};
    case Operator::kUpsample: {
      // nn.Upsample rounds 1/factor, and repeats wrong pixels of some factors from 41 on.
      const auto factor = layer.attribute<nn::HeightWidth>("factor");
      return {fmt::format("{}.repeat_interleave({}, 2).repeat_interleave({}, 3)", x.image(layer.input),
                          factor.h, factor.w),
              true};
    }
    case Operator::kIdentity:
      return x;
    default:
      throw Error(ExitStatus::kUsage, layer.name + " has an operator without a module");
  }
}

std::string numbers_of(data::PixelFunction function) {
  return function == data::PixelFunction::kLog1p ? "images.double().log1p()" : "images.double()";
}

std::string numbers(const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(shortest(value));
  return fmt::format("[{}]", join(texts, ", "));
}

constexpr std::string_view kModule =
    R"("""The network of {checkpoint} (step {step}) for PyTorch, written by convoy {version}.

    network = load("FILE.safetensors")
    outputs = network(images)  # images [N, {c}, {h}, {w}] as numbers of the data set, outputs [N, {outputs}]

The loss it was trained with is {loss}.
"""

import torch
from torch import nn


class Network(nn.Module):
    SCALE = {scale}
    MEAN = {mean}
    STD = {std}

    def __init__(self):
        super().__init__()
{modules}
    def forward(self, images):
        """(x * scale - mean) / std, then the layers."""
        mean = torch.tensor(self.MEAN, dtype=torch.float64).view(1, -1, 1, 1)
        std = torch.tensor(self.STD, dtype=torch.float64).view(1, -1, 1, 1)
        x = (({numbers} * self.SCALE - mean) / std).float()
{steps}        return {last}


def load(path):
    """A network with the weights of `path`, ready to predict."""
    from safetensors.torch import load_file
    network = Network()
    network.load_state_dict(load_file(path))
    return network.eval()
)";

}  // namespace

std::string torch_module(const ExportedNetwork& network) {
  const Shape& shape = network.input.shape;
  std::string modules;
  std::string steps;
  std::vector<Variable> values;  // of each layer's output
  for (const ExportedLayer& layer : network.layers) {
    const std::string module = module_of(layer);
    if (!module.empty()) modules += fmt::format("        self.{} = {}\n", layer.name, module);
    std::vector<Variable> inputs;
    for (const int index : layer.inputs)
      inputs.push_back(index < 0 ? Variable{"x"} : values[static_cast<std::size_t>(index)]);
    Variable value = expression_of(layer, inputs);
    value.own_shape = layer.output;
    if (value.text != inputs.front().text) {
      steps += fmt::format("        {} = {}\n", layer.name, value.text);
      value.text = layer.name;
    }
    values.push_back(value);
  }
  return fmt::format(kModule, fmt::arg("checkpoint", network.checkpoint), fmt::arg("step", network.step),
                     fmt::arg("version", std::string(version())), fmt::arg("c", shape.c),
                     fmt::arg("h", shape.h), fmt::arg("w", shape.w), fmt::arg("outputs", network.outputs()),
                     fmt::arg("loss", network.loss), fmt::arg("numbers", numbers_of(network.input.function)),
                     fmt::arg("scale", shortest(network.input.scale)),
                     fmt::arg("mean", numbers(network.input.mean)),
                     fmt::arg("std", numbers(network.input.std)), fmt::arg("modules", modules),
                     fmt::arg("steps", steps), fmt::arg("last", values.back().flat()));
}

}  // namespace convoy::exchange
