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

/// The layer's module; empty: none, forward() writes it as an expression.
std::string module_of(const ExportedLayer& layer) {
  const bool has_bias = layer.parameters.size() == 2;
  switch (layer.kind) {
    case Operator::kConvolution:
      return fmt::format("nn.Conv2d({}, {}, {}, bias={})", layer.input.c, layer.output.c,
                         window_of(layer, "kernel"), has_bias ? "True" : "False");
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
    default:
      return "";
  }
}

/// A variable of forward(): an image [N][C][H][W] or a vector [N][K].
struct Variable {
  std::string text;
  bool is_image = true;

  [[nodiscard]] std::string flat() const { return is_image ? fmt::format("{}.flatten(1)", text) : text; }
  [[nodiscard]] std::string image(const Shape& shape) const {
    return is_image ? text : fmt::format("{}.unflatten(1, ({}, {}, {}))", text, shape.c, shape.h, shape.w);
  }
};

Variable expression_of(const ExportedLayer& layer, const std::vector<Variable>& inputs) {
  const Variable& x = inputs.front();
  const auto call = [&](const char* function) {
    return Variable{fmt::format("{}({})", function, x.text), x.is_image};
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
      return {fmt::format("self.{}({})", layer.name, x.image(layer.input)), true};
    case Operator::kRelu:
      return call("torch.relu");
    case Operator::kSigmoid:
      return call("torch.sigmoid");
    case Operator::kTanh:
      return call("torch.tanh");
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
  }
  throw Error(ExitStatus::kUsage, layer.name + " has an operator without a module");
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
