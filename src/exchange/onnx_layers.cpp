#include <fmt/core.h>

#include <array>
#include <cmath>
#include <utility>

#include "convoy/core/error.hpp"
#include "onnx_graph.hpp"

namespace convoy::exchange {

using Value = GraphWriter::Value;

namespace {

void set_window(onnx::Node& node, const ExportedLayer& layer, std::string_view size) {
  const auto window = layer.attribute<nn::HeightWidth>(size);
  const auto stride = layer.attribute<nn::HeightWidth>("stride");
  const auto pad = layer.attribute<nn::HeightWidth>("pad");
  GraphWriter::integers(node, "kernel_shape", {window.h, window.w});
  GraphWriter::integers(node, "strides", {stride.h, stride.w});
  GraphWriter::integers(node, "pads", {pad.h, pad.w, pad.h, pad.w});
}

std::vector<std::string> with_tensors(const std::string& input, const ExportedLayer& layer,
                                      GraphWriter& graph) {
  std::vector<std::string> inputs{input};
  for (const auto* tensors : {&layer.parameters, &layer.statistics})
    for (const ExportedTensor& tensor : *tensors) {
      graph.tensor(tensor.name, tensor.dims, tensor.values);
      inputs.push_back(tensor.name);
    }
  return inputs;
}

/// A convolution or pooling of a window.
Value write_windowed(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  const std::string image = graph.image(input, layer.name + ".image").name;
  if (layer.kind == Operator::kConvolution) {
    onnx::Node& node = graph.node("Conv", layer.name, with_tensors(image, layer, graph));
    set_window(node, layer, "kernel");
    const auto dilation = layer.attribute<nn::HeightWidth>("dilation");
    GraphWriter::integers(node, "dilations", {dilation.h, dilation.w});
    GraphWriter::integer(node, "group", layer.attribute<std::int64_t>("groups"));
  } else if (layer.kind == Operator::kGlobalAveragePool) {
    graph.node("GlobalAveragePool", layer.name, {image});
  } else {
    const bool is_max = layer.kind == Operator::kMaxPool;
    onnx::Node& node = graph.node(is_max ? "MaxPool" : "AveragePool", layer.name, {image});
    set_window(node, layer, "window");
    if (!is_max) GraphWriter::integer(node, "count_include_pad", 1);
  }
  return {.name = layer.name, .is_image = true, .shape = layer.output};
}

/// A sum or a concatenation.
Value write_joint(const ExportedLayer& layer, const std::vector<Value>& inputs, GraphWriter& graph) {
  const bool are_images = inputs[0].is_image && inputs[1].is_image;
  const auto input = [&](const Value& value, const char* end) {
    return are_images ? value.name : graph.flat(value, layer.name + end).name;
  };
  const std::string first = input(inputs[0], ".first");
  const std::string second = input(inputs[1], ".second");
  const bool is_sum = layer.kind == Operator::kAdd;
  onnx::Node& node = graph.node(is_sum ? "Add" : "Concat", layer.name, {first, second});
  if (!is_sum) GraphWriter::integer(node, "axis", 1);
  return {.name = layer.name, .is_image = are_images, .shape = layer.output};
}

Value write_upsample(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  const auto factor = layer.attribute<nn::HeightWidth>("factor");
  const std::string image = graph.image(input, layer.name + ".image").name;
  graph.tensor(layer.name + ".factor", Dims{4},
               std::vector<float>{1, 1, static_cast<float>(factor.h), static_cast<float>(factor.w)});
  onnx::Node& node = graph.node("Resize", layer.name, {image, "", layer.name + ".factor"});
  GraphWriter::text(node, "mode", "nearest");
  GraphWriter::text(node, "nearest_mode", "floor");
  GraphWriter::text(node, "coordinate_transformation_mode", "asymmetric");
  return {.name = layer.name, .is_image = true, .shape = layer.output};
}

/// An activation; its output is named as the layer.
void write_activation(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  const std::string& name = layer.name;
  const auto with_gate = [&](const char* type) -> onnx::Node& {  // x·gate(x)
    onnx::Node& gate = graph.node(type, name + ".gate", {input.name});
    graph.node("Mul", name, {input.name, name + ".gate"});
    return gate;
  };
  const auto constant = [&](const char* end, double value) {
    graph.tensor(name + end, Dims{}, std::vector<float>{static_cast<float>(value)});
    return name + end;
  };
  switch (layer.kind) {
    case Operator::kRelu:
      graph.node("Relu", name, {input.name});
      return;
    case Operator::kSigmoid:
      graph.node("Sigmoid", name, {input.name});
      return;
    case Operator::kTanh:
      graph.node("Tanh", name, {input.name});
      return;
    case Operator::kLeakyRelu:
      GraphWriter::number(graph.node("LeakyRelu", name, {input.name}), "alpha",
                          layer.attribute<double>("slope"));
      return;
    case Operator::kElu:
      GraphWriter::number(graph.node("Elu", name, {input.name}), "alpha", layer.attribute<double>("alpha"));
      return;
    case Operator::kRelu6: {
      const std::string least = constant(".least", 0);
      graph.node("Clip", name, {input.name, least, constant(".most", 6)});
      return;
    }
    case Operator::kHardSigmoid:
      GraphWriter::number(graph.node("HardSigmoid", name, {input.name}), "alpha", 1. / 6);
      return;
    case Operator::kHardSwish:
      GraphWriter::number(with_gate("HardSigmoid"), "alpha", 1. / 6);
      return;
    case Operator::kSwish:
      with_gate("Sigmoid");
      return;
    default: {  // gelu: (x·½)·(erf(x/√2) + 1); Gelu is an operator only from opset 20 on
      graph.node("Mul", name + ".scaled", {input.name, constant(".root", std::sqrt(0.5))});
      graph.node("Erf", name + ".erf", {name + ".scaled"});
      graph.node("Add", name + ".gate", {name + ".erf", constant(".one", 1)});
      graph.node("Mul", name + ".half", {input.name, constant(".factor", 0.5)});
      graph.node("Mul", name, {name + ".half", name + ".gate"});
    }
  }
}

/// By InstanceNormalization of [N][groups][rest], which is followed by the layer's own weight and bias.
Value write_group_normalization(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  const std::string& name = layer.name;
  const auto groups = layer.attribute<std::int64_t>("groups");
  const auto ones = static_cast<std::size_t>(groups);
  const std::array<std::int64_t, 3> grouped{0, groups, -1};
  graph.tensor(name + ".grouped", grouped);
  graph.node("Reshape", name + ".groups", {input.name, name + ".grouped"});
  graph.tensor(name + ".ones", Dims{groups}, std::vector<float>(ones, 1.0F));
  graph.tensor(name + ".zeros", Dims{groups}, std::vector<float>(ones, 0.0F));
  onnx::Node& node = graph.node("InstanceNormalization", name + ".normal",
                                {name + ".groups", name + ".ones", name + ".zeros"});
  GraphWriter::number(node, "epsilon", layer.attribute<double>("eps"));
  const std::array<std::int64_t, 4> image{0, layer.input.c, layer.input.h, layer.input.w};
  graph.tensor(name + ".shape", image);
  const bool is_affine = !layer.parameters.empty();
  graph.node("Reshape", is_affine ? name + ".image" : name, {name + ".normal", name + ".shape"});
  if (is_affine) {
    const Dims per_channel{layer.input.c, 1, 1};
    graph.tensor(name + ".weight", per_channel, layer.parameters[0].values);
    graph.tensor(name + ".bias", per_channel, layer.parameters[1].values);
    graph.node("Mul", name + ".scaled", {name + ".image", name + ".weight"});
    graph.node("Add", name, {name + ".scaled", name + ".bias"});
  }
  return {.name = name, .is_image = true, .shape = layer.output};
}

void write_scale(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  graph.tensor(layer.name + ".factor", Dims{},
               std::vector<float>{static_cast<float>(layer.attribute<double>("factor"))});
  graph.node("Mul", layer.name, {input.name, layer.name + ".factor"});
}

/// A gate: ONNX repeats the one number of a channel.
Value write_product(const ExportedLayer& layer, const std::vector<Value>& inputs, GraphWriter& graph) {
  const std::string image = graph.image(inputs[0], layer.name + ".first").name;
  graph.node("Mul", layer.name, {image, graph.image(inputs[1], layer.name + ".second").name});
  return {.name = layer.name, .is_image = true, .shape = layer.output};
}

/// Windows of one size; ONNX has no operator for others.
Value write_adaptive_pool(const ExportedLayer& layer, const Value& input, GraphWriter& graph) {
  const auto size = layer.attribute<nn::HeightWidth>("size");
  if (layer.input.h % size.h != 0 || layer.input.w % size.w != 0)
    throw ConfigError(fmt::format(
        "{} cannot be exported to ONNX: its windows on {} differ in size (an output that divides height and "
        "width can)",
        layer.name, to_string(layer.input)));
  const nn::HeightWidth window{layer.input.h / size.h, layer.input.w / size.w};
  onnx::Node& node = graph.node("AveragePool", layer.name, {graph.image(input, layer.name + ".image").name});
  GraphWriter::integers(node, "kernel_shape", {window.h, window.w});
  GraphWriter::integers(node, "strides", {window.h, window.w});
  return {.name = layer.name, .is_image = true, .shape = layer.output};
}

}  // namespace

Value write_layer(const ExportedLayer& layer, const std::vector<Value>& inputs, GraphWriter& graph) {
  const Value& first = inputs.front();
  Value of_same_kind{.name = layer.name, .is_image = first.is_image, .shape = layer.output};
  Value vector{.name = layer.name, .is_image = false, .shape = layer.output};
  switch (layer.kind) {
    case Operator::kConvolution:
    case Operator::kMaxPool:
    case Operator::kAveragePool:
    case Operator::kGlobalAveragePool:
      return write_windowed(layer, first, graph);
    case Operator::kDense: {
      const std::string input = graph.flat(first, layer.name + ".flat").name;
      GraphWriter::integer(graph.node("Gemm", layer.name, with_tensors(input, layer, graph)), "transB", 1);
      return vector;
    }
    case Operator::kBatchNormalization: {
      onnx::Node& node = graph.node("BatchNormalization", layer.name, with_tensors(first.name, layer, graph));
      GraphWriter::number(node, "epsilon", layer.attribute<double>("eps"));
      return of_same_kind;
    }
    case Operator::kRelu:
    case Operator::kSigmoid:
    case Operator::kTanh:
    case Operator::kLeakyRelu:
    case Operator::kRelu6:
    case Operator::kElu:
    case Operator::kHardSigmoid:
    case Operator::kGelu:
    case Operator::kSwish:
    case Operator::kHardSwish:
      write_activation(layer, first, graph);
      return of_same_kind;
    case Operator::kSoftmax: {
      const std::string input = graph.flat(first, layer.name + ".flat").name;
      GraphWriter::integer(graph.node("Softmax", layer.name, {input}), "axis", 1);
      return vector;
    }
    case Operator::kFlatten: {
      Value flattened = graph.flat(first, layer.name);
      flattened.shape = layer.output;
      return flattened;
    }
    case Operator::kAdd:
    case Operator::kConcatenation:
      return write_joint(layer, inputs, graph);
    case Operator::kGroupNormalization:
      return write_group_normalization(layer, first, graph);
    case Operator::kAdaptiveAveragePool:
      return write_adaptive_pool(layer, first, graph);
    case Operator::kScale:
      write_scale(layer, first, graph);
      return of_same_kind;
    case Operator::kMultiply:
      return write_product(layer, inputs, graph);
    case Operator::kUpsample:
      return write_upsample(layer, first, graph);
    case Operator::kIdentity:
      return {.name = first.name, .is_image = first.is_image, .shape = layer.output};
  }
  throw Error(ExitStatus::kUsage, layer.name + " has an operator without an export");
}

}  // namespace convoy::exchange
