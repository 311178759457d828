#pragma once
// Nodes and tensors of an ONNX graph, and the nodes of a network's layers. Private to the exchange room.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "convoy/exchange/exported_network.hpp"
#include "onnx.pb.h"

namespace convoy::exchange {

/// ONNX's numbers of types.
inline constexpr int kFloat = 1;
inline constexpr int kInt64 = 7;

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

/// Writes one layer, whose inputs are `inputs`; returns its output. Throws ConfigError if ONNX has no
/// operator for it.
[[nodiscard]] GraphWriter::Value write_layer(const ExportedLayer& layer,
                                             const std::vector<GraphWriter::Value>& inputs,
                                             GraphWriter& graph);

}  // namespace convoy::exchange
