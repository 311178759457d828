#include "convoy/exchange/onnx.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "numbers.hpp"
#include "onnx.pb.h"

namespace convoy::exchange {
namespace {

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOperatorSet = 13;
constexpr int kFloat = 1;
constexpr int kInt64 = 7;
constexpr int kFloat16 = 10;
constexpr int kDouble = 11;
constexpr int kBfloat16 = 16;

/// Adds nodes to a graph. A value is an image [N][C][H][W] or a vector [N][K].
class GraphWriter {
 public:
  explicit GraphWriter(onnx::Graph& graph) : graph_(graph) {}

  struct Value {
    std::string name;
    bool is_image = true;
    Shape shape;
  };

  onnx::Node& node(const char* type, const std::string& name, const std::vector<std::string>& inputs) {
    onnx::Node& node = *graph_.add_node();
    node.set_op_type(type);
    node.set_name(name);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(name);
    return node;
  }

  void tensor(const std::string& name, const Dims& dims, std::span<const float> values) {
    add_tensor(name, dims, kFloat, values.data(), values.size_bytes());
  }
  void tensor(const std::string& name, std::span<const std::int64_t> values) {
    add_tensor(name, {static_cast<std::int64_t>(values.size())}, kInt64, values.data(), values.size_bytes());
  }

  /// `value` as a vector: itself, or a node that makes one.
  Value flat(const Value& value, const std::string& name) {
    if (!value.is_image) return value;
    onnx::Node& flatten = node("Flatten", name, {value.name});
    integer(flatten, "axis", 1);
    return {.name = name, .is_image = false, .shape = value.shape};
  }
  /// `value` as an image.
  Value image(const Value& value, const std::string& name) {
    if (value.is_image) return value;
    const std::array<std::int64_t, 4> shape{0, value.shape.c, value.shape.h, value.shape.w};  // 0: as it is
    tensor(name + ".shape", shape);
    node("Reshape", name, {value.name, name + ".shape"});
    return {.name = name, .is_image = true, .shape = value.shape};
  }

  static void integer(onnx::Node& node, const char* name, std::int64_t value) {
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::Attribute::INT);
    attribute.set_i(value);
  }
  static void integers(onnx::Node& node, const char* name, std::initializer_list<std::int64_t> values) {
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::Attribute::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
  }
  static void text(onnx::Node& node, const char* name, const char* value) {
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::Attribute::STRING);
    attribute.set_s(value);
  }
  static void number(onnx::Node& node, const char* name, double value) {
    onnx::Attribute& attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::Attribute::FLOAT);
    attribute.set_f(static_cast<float>(value));
  }

 private:
  void add_tensor(const std::string& name, const Dims& dims, int type, const void* data, std::size_t bytes) {
    onnx::Tensor& tensor = *graph_.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const std::int64_t extent : dims) tensor.add_dims(extent);
    tensor.set_raw_data(data, bytes);
  }

  onnx::Graph& graph_;
};

using Value = GraphWriter::Value;

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
    set_window(graph.node("Conv", layer.name, with_tensors(image, layer, graph)), layer, "kernel");
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

/// Writes one layer; returns its output.
Value write_layer(const ExportedLayer& layer, const std::vector<Value>& inputs, GraphWriter& graph) {
  const Value& first = inputs.front();
  Value of_same_kind{.name = layer.name, .is_image = first.is_image, .shape = layer.output};
  Value vector{.name = layer.name, .is_image = false, .shape = layer.output};
  const auto flat = [&] { return graph.flat(first, layer.name + ".flat").name; };
  const auto elementwise = [&](const char* type) {
    graph.node(type, layer.name, {first.name});
    return of_same_kind;
  };
  switch (layer.kind) {
    case Operator::kConvolution:
    case Operator::kMaxPool:
    case Operator::kAveragePool:
    case Operator::kGlobalAveragePool:
      return write_windowed(layer, first, graph);
    case Operator::kDense: {
      const std::string input = flat();
      GraphWriter::integer(graph.node("Gemm", layer.name, with_tensors(input, layer, graph)), "transB", 1);
      return vector;
    }
    case Operator::kBatchNormalization: {
      onnx::Node& node = graph.node("BatchNormalization", layer.name, with_tensors(first.name, layer, graph));
      GraphWriter::number(node, "epsilon", layer.attribute<double>("eps"));
      return of_same_kind;
    }
    case Operator::kRelu:
      return elementwise("Relu");
    case Operator::kSigmoid:
      return elementwise("Sigmoid");
    case Operator::kTanh:
      return elementwise("Tanh");
    case Operator::kSoftmax: {
      const std::string input = flat();
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
    case Operator::kUpsample:
      return write_upsample(layer, first, graph);
    case Operator::kIdentity:
      return {.name = first.name, .is_image = first.is_image, .shape = layer.output};
  }
  throw Error(ExitStatus::kUsage, layer.name + " has an operator without an export");
}

/// (f(x)·scale − mean)/std as f(x)·factor + offset.
Value write_transform(const data::InputTransform& input, const Value& value, GraphWriter& graph) {
  std::vector<float> factors;
  std::vector<float> offsets;
  for (std::size_t c = 0; c < input.mean.size(); ++c) {
    factors.push_back(static_cast<float>(input.scale / input.std[c]));
    offsets.push_back(static_cast<float>(-input.mean[c] / input.std[c]));
  }
  const Dims dims{input.shape.c, 1, 1};  // OpenCV 4.6 does not take [1][C][1][1]
  graph.tensor("input.factor", dims, factors);
  graph.tensor("input.offset", dims, offsets);
  std::string number = value.name;
  if (input.function == data::PixelFunction::kLog1p) {
    graph.tensor("input.one", dims, std::vector<float>(input.mean.size(), 1.0F));
    graph.node("Add", "input.above_one", {number, "input.one"});
    graph.node("Log", "input.logarithm", {"input.above_one"});
    number = "input.logarithm";
  }
  graph.node("Mul", "input.scaled", {number, "input.factor"});
  graph.node("Add", "input.normalized", {"input.scaled", "input.offset"});
  return {.name = "input.normalized", .is_image = true, .shape = value.shape};
}

void describe_value(onnx::Value& value, const char* name, const std::vector<std::int64_t>& extents) {
  value.set_name(name);
  onnx::TensorType& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(kFloat);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t extent : extents) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

std::string joined(const std::vector<double>& numbers) {
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(shortest(number));
  return join(texts, " ");
}

void write_metadata(const ExportedNetwork& network, const OnnxOptions& options, onnx::Model& model) {
  const auto entry = [&](const char* key, const std::string& value) {
    onnx::Entry& added = *model.add_metadata_props();
    added.set_key(key);
    added.set_value(value);
  };
  const data::InputTransform& input = network.input;
  entry("input_shape", fmt::format("{} {} {}", input.shape.c, input.shape.h, input.shape.w));
  entry("input_numbers", options.normalizes ? (input.scale == 1 ? "as in the data set" : "0 to 255")
                                            : "normalized: (x*scale - mean)/std");
  entry("input_scale", shortest(input.scale));
  entry("input_mean", joined(input.mean));
  entry("input_std", joined(input.std));
  if (!network.class_names.empty()) entry("class_names", join(network.class_names, "\n"));
  entry("loss", network.loss);
  entry("step", std::to_string(network.step));
}

void rename_value(onnx::Graph& graph, const std::string& from, const std::string& to) {
  for (onnx::Node& node : *graph.mutable_node()) {
    for (std::string& input : *node.mutable_input())
      if (input == from) input = to;
    for (std::string& output : *node.mutable_output())
      if (output == from) output = to;
  }
}

bool is_identity(const data::InputTransform& input) {
  for (std::size_t c = 0; c < input.mean.size(); ++c)
    if (input.mean[c] != 0 || input.std[c] != 1) return false;
  return input.scale == 1 && input.function == data::PixelFunction::kNone;
}

}  // namespace

std::string onnx_model(const ExportedNetwork& network, const OnnxOptions& options) {
  onnx::Model model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("convoy");
  model.set_producer_version(std::string(version()));
  onnx::Operators& operators = *model.add_opset_import();
  operators.set_domain("");
  operators.set_version(kOperatorSet);
  onnx::Graph& graph = *model.mutable_graph();
  graph.set_name("network");
  const Shape& shape = network.input.shape;
  describe_value(*graph.add_input(), "input", {shape.c, shape.h, shape.w});
  describe_value(*graph.add_output(), "output", {network.outputs()});

  GraphWriter writer(graph);
  Value input{.name = "input", .is_image = true, .shape = shape};
  if (options.normalizes && !is_identity(network.input))
    input = write_transform(network.input, input, writer);
  std::vector<Value> values;
  for (const ExportedLayer& layer : network.layers) {
    std::vector<Value> inputs;
    for (const int index : layer.inputs)
      inputs.push_back(index < 0 ? input : values[static_cast<std::size_t>(index)]);
    values.push_back(write_layer(layer, inputs, writer));
  }
  Value last = writer.flat(values.back(), "output.flat");
  if (last.name == input.name) {  // a network of nothing but dropout on a vector
    writer.node("Flatten", "output", {last.name});
  } else {
    rename_value(graph, last.name, "output");
  }
  write_metadata(network, options, model);
  std::string bytes;
  if (!model.SerializeToString(&bytes))
    throw Error(ExitStatus::kUsage, "the network is too large for an ONNX file (2 GiB)");
  return bytes;
}

namespace {

/// The numbers of a tensor: its raw bytes, else those in `field`.
template <class Number, class Field>
std::vector<float> numbers_in(const onnx::Tensor& tensor, const Field& field) {
  if (tensor.has_raw_data()) return numbers_of<Number>(tensor.raw_data());
  std::vector<float> values;
  for (const auto value : field) values.push_back(static_cast<float>(value));
  return values;
}

}  // namespace

std::vector<ExportedTensor> onnx_tensors(const std::string& bytes, const std::string& path) {
  onnx::Model model;
  if (bytes.size() >= std::size_t{2} << 30)
    throw DataError(path +
                    " has 2 GiB or more, which no ONNX file can have; export the weights as safetensors");
  if (!model.ParseFromString(bytes) || !model.has_graph())
    throw DataError(path + " is no ONNX model (it cannot be decoded); export it again");
  std::vector<ExportedTensor> tensors;
  for (const onnx::Tensor& tensor : model.graph().initializer()) {
    if (tensor.external_data_size() > 0)
      throw DataError(
          fmt::format("tensor {} of {} lies in another file; export it as one file", tensor.name(), path));
    if (tensor.data_type() == kFloat16 || tensor.data_type() == kBfloat16)
      throw DataError(
          fmt::format("tensor {} of {} has numbers of two bytes; export it as float32", tensor.name(), path));
    if (tensor.data_type() != kFloat && tensor.data_type() != kDouble) continue;  // shapes, counts
    ExportedTensor read{
        .name = tensor.name(), .dims = {tensor.dims().begin(), tensor.dims().end()}, .values = {}};
    read.values = tensor.data_type() == kFloat ? numbers_in<float>(tensor, tensor.float_data())
                                               : numbers_in<double>(tensor, tensor.double_data());
    if (static_cast<double>(read.values.size()) != elements_of(read.dims))
      throw DataError(fmt::format("tensor {} of {} has {} numbers, not those of {}", tensor.name(), path,
                                  read.values.size(), to_string(read.dims)));
    tensors.push_back(std::move(read));
  }
  return tensors;
}

}  // namespace convoy::exchange
