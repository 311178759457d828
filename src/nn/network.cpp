#include "convoy/nn/network.hpp"

#include <algorithm>
#include <cassert>
#include <iomanip>
#include <sstream>
#include <utility>

#include "convoy/core/text.hpp"

namespace convoy::nn {

Network::Network(const Shape& input, std::vector<Node> nodes, LossFunction loss,
                 std::vector<std::string> lines)
    : input_(input), loss_(std::move(loss)), nodes_(std::move(nodes)), lines_(std::move(lines)) {
  assert(!nodes_.empty());
  for (Node& node : nodes_) {
    node.parameter_offset = parameter_count_;
    node.statistic_offset = statistic_count_;
    for (const Parameter& parameter : node.layer->parameters()) {
      parameters_.push_back({.layer = node.name,
                             .name = parameter.name,
                             .dims = parameter.dims,
                             .offset = parameter_count_,
                             .decays = parameter.decays});
      parameter_count_ += count(parameter.dims);
    }
    for (const Statistic& statistic : node.layer->statistics()) {
      statistics_.push_back({.layer = node.name,
                             .name = statistic.name,
                             .dims = statistic.dims,
                             .offset = statistic_count_,
                             .momentum = statistic.momentum});
      statistic_count_ += count(statistic.dims);
    }
    shapes_.push_back(node.layer->output());
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
  row("loss", describe(loss_), "", "");
  std::int64_t multiplications = 0;
  for (const Node& node : nodes_) multiplications += node.layer->multiplications();
  text << "  " << grouped(parameter_count_) << " parameters, " << grouped(multiplications)
       << " multiplications a sample forward\n";
  return text.str();
}

}  // namespace convoy::nn
