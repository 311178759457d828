#include "convoy/nn/network_builder.hpp"

#include <algorithm>
#include <utility>

#include "convoy/core/text.hpp"
#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

/// Rejects tensors that are too large for any memory: a typo, and the number of elements could overflow.
void require_possible_size(std::int64_t first, const Dims& dims, const std::string& what,
                           const std::string& layer) {
  constexpr double kMostElements = 1e11;
  auto elements = static_cast<double>(first);
  for (const std::int64_t extent : dims) elements *= static_cast<double>(extent);
  if (elements > kMostElements) {
    throw LayerError(
        "its " + what + " would have " + shortest(elements) + " elements (more than 1e11 cannot be meant)",
        layer);
  }
}

}  // namespace

std::string NetworkBuilder::name_of(std::string_view keyword, const std::string& name) {
  if (!name.empty()) return name;
  const std::string key(keyword);
  return key + std::to_string(++counts_[key]);
}

template <class Make>
NetworkBuilder& NetworkBuilder::place(std::string_view keyword, const std::string& name, Make&& make) {
  const std::string known = name_of(keyword, name);
  std::unique_ptr<Layer> layer;
  try {
    layer = make();
  } catch (const LayerError& error) {
    throw LayerError(error.problem(), known);
  }
  const bool has_default_name = name.empty() && keyword == layer->keyword();
  lines_.push_back(layer->description() + (has_default_name ? "" : " name=" + known));
  append(std::move(layer), known, {last_});
  ++ordinal_;
  return *this;
}

NetworkBuilder& NetworkBuilder::layer(const LayerText& line, const Registry& registry) {
  LayerLine words(line, ordinal_);
  const std::string name = words.take_option_text("name").value_or("");
  return add(registry.make(words, shape()), words.keyword(), name);
}

NetworkBuilder& NetworkBuilder::conv(std::int64_t channels, const HeightWidth& kernel,
                                     const ConvOptions& options, const std::string& name) {
  return place("conv", name, [&] { return make_conv(shape(), channels, kernel, options); });
}

NetworkBuilder& NetworkBuilder::dense(std::int64_t outputs, const DenseOptions& options,
                                      const std::string& name) {
  return place("dense", name, [&] { return make_dense(shape(), outputs, options); });
}

NetworkBuilder& NetworkBuilder::batchnorm(const BatchNormOptions& options, const std::string& name) {
  return place("batchnorm", name, [&] { return make_batchnorm(shape(), options); });
}

NetworkBuilder& NetworkBuilder::maxpool(const HeightWidth& window, const PoolOptions& options,
                                        const std::string& name) {
  return place("maxpool", name, [&] { return make_maxpool(shape(), window, options); });
}

NetworkBuilder& NetworkBuilder::avgpool(const HeightWidth& window, const PoolOptions& options,
                                        const std::string& name) {
  return place("avgpool", name, [&] { return make_avgpool(shape(), window, options); });
}

NetworkBuilder& NetworkBuilder::globalavgpool(const std::string& name) {
  return place("globalavgpool", name, [&] { return make_globalavgpool(shape()); });
}

NetworkBuilder& NetworkBuilder::dropout(double rate, const std::string& name) {
  return place("dropout", name, [&] { return make_dropout(shape(), rate, ordinal_); });
}

NetworkBuilder& NetworkBuilder::flatten(const std::string& name) {
  return place("flatten", name, [&] { return make_flatten(shape()); });
}

NetworkBuilder& NetworkBuilder::relu(const std::string& name) {
  return place("relu", name, [&] { return make_activation("relu", shape()); });
}

NetworkBuilder& NetworkBuilder::sigmoid(const std::string& name) {
  return place("sigmoid", name, [&] { return make_activation("sigmoid", shape()); });
}

NetworkBuilder& NetworkBuilder::tanh(const std::string& name) {
  return place("tanh", name, [&] { return make_activation("tanh", shape()); });
}

NetworkBuilder& NetworkBuilder::softmax(const std::string& name) {
  return place("softmax", name, [&] { return make_softmax(shape()); });
}

NetworkBuilder& NetworkBuilder::add(std::unique_ptr<Layer> layer, std::string_view keyword,
                                    const std::string& name) {
  return place(keyword, name, [&] { return std::move(layer); });
}

NetworkBuilder& NetworkBuilder::begin_block(BlockKind kind, const char* line) {
  open_.push_back({.kind = kind, .input = last_});
  lines_.emplace_back(line);
  ++ordinal_;
  return *this;
}

NetworkBuilder& NetworkBuilder::begin_second(const char* line) {
  OpenBlock& block = open_.back();
  block.first = std::exchange(last_, block.input);
  block.in_second = true;
  lines_.emplace_back(line);
  ++ordinal_;
  return *this;
}

void NetworkBuilder::require_open(BlockKind kind, const char* otherwise) const {
  if (open_.empty() || open_.back().kind != kind) throw LayerError(otherwise);
}

NetworkBuilder& NetworkBuilder::begin_residual() {
  return begin_block(BlockKind::kResidual, "residual {");
}

NetworkBuilder& NetworkBuilder::begin_shortcut() {
  require_open(BlockKind::kResidual, "a shortcut begins outside a residual block");
  if (open_.back().in_second) throw LayerError("the residual block has a shortcut already");
  if (last_ == open_.back().input) throw LayerError("the residual block is empty (its body needs a layer)");
  return begin_second("} shortcut {");
}

NetworkBuilder& NetworkBuilder::end_residual() {
  require_open(BlockKind::kResidual, "closes no residual block");
  const OpenBlock block = open_.back();
  const int body = block.in_second ? block.first : last_;
  const int shortcut = block.in_second ? last_ : block.input;
  if (body == block.input) throw LayerError("the residual block is empty (its body needs a layer)");
  const std::string name = name_of("add", {});
  if (shape_of(body) != shape_of(shortcut)) {
    throw LayerError("the body gives " + to_string(shape_of(body)) + " and the shortcut " +
                         to_string(shape_of(shortcut)) +
                         " (they are added, so the shapes must be equal; a shortcut with a 1x1 conv can mend "
                         "it)",
                     name);
  }
  return join(make_add(shape_of(body)), name, {body, shortcut});
}

NetworkBuilder& NetworkBuilder::begin_branches() {
  return begin_block(BlockKind::kBranches, "branches {");
}

NetworkBuilder& NetworkBuilder::begin_second_branch() {
  require_open(BlockKind::kBranches, "a second branch begins outside branches");
  if (open_.back().in_second)
    throw LayerError("there are two branches already (more are branches in one of them)");
  return begin_second("} and {");
}

NetworkBuilder& NetworkBuilder::end_branches() {
  require_open(BlockKind::kBranches, "closes no branches");
  const OpenBlock& block = open_.back();
  if (!block.in_second) throw LayerError("the second branch is missing (it begins with '} and {')");
  if (block.first == block.input && last_ == block.input)
    throw LayerError("both branches are empty (one of them needs a layer)");
  const std::string name = name_of("concat", {});
  const Shape& first = shape_of(block.first);
  if (first.h != shape().h || first.w != shape().w) {
    throw LayerError("the branches give " + to_string(first) + " and " + to_string(shape()) +
                         " (their channels are joined, so height and width must be equal)",
                     name);
  }
  return join(make_concat(first, shape()), name, {block.first, last_});
}

NetworkBuilder& NetworkBuilder::begin_gate() {
  return begin_block(BlockKind::kGate, "gate {");
}

NetworkBuilder& NetworkBuilder::end_gate() {
  require_open(BlockKind::kGate, "closes no gate");
  const int input = open_.back().input;
  if (last_ == input) throw LayerError("the gate is empty (its body needs a layer)");
  const std::string name = name_of("multiply", {});
  const Shape& gated = shape_of(input);
  if (shape() != gated && shape() != Shape{gated.c, 1, 1}) {
    throw LayerError("the gate gives " + to_string(shape()) + " for an input of " + to_string(gated) +
                         " (they are multiplied, so it should give the same shape or one number for each of "
                         "the " +
                         std::to_string(gated.c) + " channels)",
                     name);
  }
  return join(make_multiply(gated, shape()), name, {input, last_});
}

NetworkBuilder& NetworkBuilder::end_block() {
  if (open_.empty()) throw LayerError("closes no block");
  switch (open_.back().kind) {
    case BlockKind::kResidual:
      return end_residual();
    case BlockKind::kBranches:
      return end_branches();
    case BlockKind::kGate:
      break;
  }
  return end_gate();
}

NetworkBuilder& NetworkBuilder::join(std::unique_ptr<Layer> layer, const std::string& name,
                                     std::vector<int> inputs) {
  open_.pop_back();
  append(std::move(layer), name, std::move(inputs));
  lines_.emplace_back("}");
  ++ordinal_;
  return *this;
}

void NetworkBuilder::append(std::unique_ptr<Layer> layer, const std::string& name, std::vector<int> inputs) {
  if (name.find_first_not_of(kNameCharacters) != std::string::npos || name == "." || name == "..")
    throw LayerError("the name '" + name + "' is wrong (it may hold letters, digits, '-_.~')", name);
  const Shape output = layer->output();
  require_possible_size(output.c, {output.h, output.w}, "output", name);
  for (const Parameter& parameter : layer->parameters())
    require_possible_size(1, parameter.dims, parameter.name, name);
  if (constexpr std::int64_t kMost = 100'000'000'000'000; layer->multiplications() > kMost)
    throw LayerError("it would take more than 1e14 multiplications a sample, which cannot be meant", name);
  if (std::ranges::find(nodes_, name, &Node::name) != nodes_.end())
    throw LayerError("the name '" + name + "' is taken by an earlier layer (give this one another)", name);

  last_ = static_cast<int>(nodes_.size());
  shapes_.push_back(output);
  nodes_.push_back({.name = name, .layer = std::move(layer), .inputs = std::move(inputs)});
}

void NetworkBuilder::check_end(const LossFunction& loss, std::optional<std::int64_t> classes) const {
  const Node& last = nodes_.back();
  const Shape& output = shapes_.back();
  if (classes && output.size() != *classes) {
    const bool is_image = output.h * output.w > 1;
    throw LayerError(
        "the network ends with " + counted(output.size(), "output") +
            (is_image ? " (" + to_string(output) + ")" : std::string()) + ", but the data set wants " +
            grouped(*classes) +
            (takes_targets(loss.kind) ? " (numbers of a target, or classes)"
                                      : " (classes, with labels up to " + grouped(*classes - 1) + ")") +
            "; a last layer 'dense " + std::to_string(*classes) + "' would fit",
        last.name);
  }
  if (const auto weights = static_cast<std::int64_t>(loss.class_weights.size());
      weights > 0 && weights != output.size()) {
    throw ConfigError("network.class-weights has " + counted(weights, "number") + " (the network has " +
                      counted(output.size(), "output") +
                      ", one for each class); give a number for each class, or balanced");
  }
  if (!takes_targets(loss.kind) && last.layer->traits().gives_probabilities) {
    throw LayerError("stands right before the loss " + std::string(to_string(loss.kind)) +
                         ", which applies it itself (leave this layer out, or use loss = quadratic)",
                     last.name);
  }
}

Network NetworkBuilder::build(const LossFunction& loss, std::optional<std::int64_t> classes) {
  if (!open_.empty()) throw LayerError("a block is never closed");
  if (nodes_.empty()) throw ConfigError("the network has no layer");
  check_end(loss, classes);
  Network network(input_, std::move(nodes_), loss, std::move(lines_));
  *this = NetworkBuilder(input_);
  return network;
}

}  // namespace convoy::nn
