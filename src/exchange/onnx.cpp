#include "convoy/exchange/onnx.hpp"

#include <fmt/core.h>

#include <array>
#include <optional>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "numbers.hpp"
#include "onnx_graph.hpp"

namespace convoy::exchange {
namespace {

constexpr std::int64_t kIrVersion = 7;
constexpr std::int64_t kOperatorSet = 13;
constexpr int kFloat16 = 10;
constexpr int kDouble = 11;
constexpr int kBfloat16 = 16;

using Value = GraphWriter::Value;

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
