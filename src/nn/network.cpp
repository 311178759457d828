#include "convoy/nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "convoy/core/text.hpp"
#include "layers/layers.hpp"

namespace convoy::nn {
namespace {

/// A residual block whose end has not been read yet.
struct OpenBlock {
  LayerText opened_by;
  int input = kNetworkInput;  ///< node the block began after
  int body = kNetworkInput;   ///< last node of the body, once the shortcut has begun
  bool in_shortcut = false;
};

constexpr std::string_view kResidualUsage =
    "'residual {', then '}' for an identity shortcut or '} shortcut {' … '}'";

/// A tensor beyond any memory is a slip of the pen; and its number of elements could overflow.
void require_possible_size(std::int64_t first, const Dims& dims, const std::string& what,
                           const LayerLine& line) {
  constexpr double kMostElements = 1e11;
  auto elements = static_cast<double>(first);
  for (const std::int64_t extent : dims) elements *= static_cast<double>(extent);
  if (elements > kMostElements)
    line.fail("its " + what + " would have " + shortest(elements) +
              " elements (more than 1e11 cannot be meant)");
}

}  // namespace

Network::Network(const Shape& input, const std::vector<LayerText>& lines, LossKind loss,
                 std::optional<std::int64_t> classes, const Registry& registry)
    : input_(input), loss_(loss) {
  std::vector<OpenBlock> open;
  std::map<std::string, int> counts;
  int last = kNetworkInput;

  const auto close_block = [&](const LayerLine& line) {
    const OpenBlock block = open.back();
    open.pop_back();
    const int body = block.in_shortcut ? block.body : last;
    const int shortcut = block.in_shortcut ? last : block.input;
    if (body == block.input) line.fail("the residual block is empty (" + std::string(kResidualUsage) + ")");
    if (shape_of(body) != shape_of(shortcut)) {
      line.fail(
          "the body gives " + to_string(shape_of(body)) + " and the shortcut " +
          to_string(shape_of(shortcut)) +
          " (they are added, so the shapes must be equal; a '} shortcut {' with a 1x1 conv can mend it)");
    }
    append(make_add(shape_of(body)), "add", "add" + std::to_string(++counts["add"]), {body, shortcut}, line);
    last = static_cast<int>(nodes_.size()) - 1;
  };

  for (std::size_t i = 0; i < lines.size(); ++i) {
    LayerLine line(lines[i], i);
    const std::vector<std::string> words = split_words(lines[i].text);
    if (line.keyword() == "residual") {
      if (words != std::vector<std::string>{"residual", "{"})
        line.fail("is not " + std::string(kResidualUsage));
      open.push_back({.opened_by = lines[i], .input = last});
    } else if (line.keyword() == "}") {
      if (open.empty()) line.fail("closes no residual block");
      if (words.size() == 1) {
        close_block(line);
      } else if (words == std::vector<std::string>{"}", "shortcut", "{"} && !open.back().in_shortcut) {
        if (last == open.back().input)
          line.fail("the residual block is empty (" + std::string(kResidualUsage) + ")");
        open.back().body = last;
        open.back().in_shortcut = true;
        last = open.back().input;
      } else {
        line.fail("is not " + std::string(kResidualUsage));
      }
    } else {
      const std::string named = line.take_option_text("name").value_or("");
      const std::string name =
          named.empty() ? line.keyword() + std::to_string(++counts[line.keyword()]) : named;
      std::unique_ptr<Layer> layer = registry.make(line, shape_of(last));
      append(std::move(layer), line.keyword(), name, {last}, line);
      last = static_cast<int>(nodes_.size()) - 1;
    }
  }
  if (!open.empty())
    LayerLine(open.back().opened_by).fail("the block is never closed (" + std::string(kResidualUsage) + ")");
  if (nodes_.empty())
    throw ConfigError("the network has no layer (write at least one 'layer = …' in [network])");
  check_end(loss, classes, lines.back());
}

void Network::append(std::unique_ptr<Layer> layer, const std::string& keyword, const std::string& name,
                     std::vector<int> inputs, const LayerLine& line) {
  constexpr std::string_view kNameCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  if (name.find_first_not_of(kNameCharacters) != std::string::npos || name == "." || name == "..")
    line.fail("the name '" + name + "' is wrong (letters, digits, '-', '_', '.' and '~' make a name)");
  require_possible_size(layer->output().c, {layer->output().h, layer->output().w}, "output", line);
  for (const Parameter& parameter : layer->parameters())
    require_possible_size(1, parameter.dims, parameter.name, line);
  for (const Node& node : nodes_)
    if (node.name == name)
      line.fail("the name '" + name + "' is taken by an earlier layer (give this " + keyword +
                " another name=)");

  Node node{.name = name,
            .layer = std::move(layer),
            .inputs = std::move(inputs),
            .parameter_offset = parameter_count_,
            .statistic_offset = statistic_count_};
  for (const Parameter& parameter : node.layer->parameters()) {
    parameters_.push_back({name, parameter.name, parameter.dims, parameter_count_, parameter.decays, 0});
    parameter_count_ += count(parameter.dims);
  }
  for (const Statistic& statistic : node.layer->statistics()) {
    statistics_.push_back(
        {name, statistic.name, statistic.dims, statistic_count_, false, statistic.momentum});
    statistic_count_ += count(statistic.dims);
  }
  shapes_.push_back(node.layer->output());
  nodes_.push_back(std::move(node));
}

void Network::check_end(LossKind loss, std::optional<std::int64_t> classes, const LayerText& last) const {
  const LayerLine line(last);
  const Shape& output = shapes_.back();
  if (classes && output.size() != *classes) {
    const bool is_picture = output.h * output.w > 1;
    line.fail("the network ends with " + counted(output.size(), "output") +
              (is_picture ? " (" + to_string(output) + ")" : std::string()) + ", but the data set wants " +
              grouped(*classes) +
              (loss == LossKind::kQuadratic ? " (numbers of a target, or classes)"
                                            : " (classes, with labels up to " + grouped(*classes - 1) + ")") +
              "; a last layer 'dense " + std::to_string(*classes) + "' would fit");
  }
  if (loss != LossKind::kQuadratic && nodes_.back().layer->traits().gives_probabilities) {
    line.fail("stands right before the loss " + std::string(to_string(loss)) +
              ", which applies it itself (leave this layer out, or use loss = quadratic)");
  }
}

const Shape& Network::shape_of(int node) const {
  return node == kNetworkInput ? input_ : shapes_[static_cast<std::size_t>(node)];
}

bool Network::wants_diff(int node) const {
  while (node != kNetworkInput && nodes_[static_cast<std::size_t>(node)].layer->traits().is_view)
    node = nodes_[static_cast<std::size_t>(node)].inputs.front();
  return node != kNetworkInput;
}

bool Network::feeds_relu(int node) const {
  for (std::size_t i = static_cast<std::size_t>(node) + 1; i < nodes_.size(); ++i) {
    const auto& inputs = nodes_[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), node) == inputs.end()) continue;
    const Nonlinearity next = nodes_[i].layer->traits().nonlinearity;
    return next == Nonlinearity::kNone ? feeds_relu(static_cast<int>(i)) : next == Nonlinearity::kRelu;
  }
  return false;
}

void Network::initialise(std::uint64_t seed, std::span<float> parameters, std::span<float> statistics) const {
  const auto fill = [](std::span<float> values, std::int64_t& next, std::int64_t size, auto&& value) {
    for (std::int64_t i = 0; i < size; ++i)
      values[static_cast<std::size_t>(next++)] = static_cast<float>(value());
  };
  std::int64_t next = 0;
  std::uint64_t ordinal = 0;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const bool before_relu = feeds_relu(static_cast<int>(n));
    for (const Parameter& parameter : nodes_[n].layer->parameters()) {
      RandomStream stream(random_key(seed, RandomPurpose::kInitialWeights, ordinal++));
      const auto fan_in = static_cast<double>(parameter.fan_in);
      const auto fan_out = static_cast<double>(parameter.fan_out);
      const std::int64_t size = count(parameter.dims);
      if (parameter.start != Start::kWeights) {
        fill(parameters, next, size, [&] { return parameter.start == Start::kOnes ? 1 : 0; });
      } else if (before_relu) {
        fill(parameters, next, size, [&] { return stream.normal() * std::sqrt(2 / fan_in); });
      } else {
        const double bound = std::sqrt(6 / (fan_in + fan_out));
        fill(parameters, next, size, [&] { return stream.uniform(-bound, bound); });
      }
    }
  }
  next = 0;
  for (const Node& node : nodes_)
    for (const Statistic& statistic : node.layer->statistics())
      fill(statistics, next, count(statistic.dims), [&] { return statistic.start == Start::kOnes ? 1 : 0; });
}

std::string Network::summary() const {
  std::ostringstream text;
  const auto row = [&](const std::string& name, const std::string& what, const std::string& shape,
                       const std::string& size) {
    text << "  " << std::left << std::setw(16) << name << std::setw(30) << what << std::setw(14) << shape
         << std::right << std::setw(12) << size << '\n';
  };
  row("input", "", to_string(input_), "");
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Layer& layer = *nodes_[i].layer;
    const std::int64_t size = nn::parameter_count(layer);
    row(nodes_[i].name, layer.description(), to_string(shapes_[i]), size > 0 ? grouped(size) : "");
  }
  row("loss", std::string(to_string(loss_)), "", "");
  std::int64_t multiplications = 0;
  for (const Node& node : nodes_) multiplications += node.layer->multiplications();
  text << "  " << grouped(parameter_count_) << " parameters, " << grouped(multiplications)
       << " multiplications a sample forward\n";
  return text.str();
}

}  // namespace convoy::nn
