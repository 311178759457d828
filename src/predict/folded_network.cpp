#include "convoy/predict/folded_network.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::predict {
namespace {

constexpr int kNone = -1;
constexpr std::string_view kNoBias = " bias=no";

/// Nodes that read the output of `node`.
std::int64_t readers_of(const nn::Network& network, int node) {
  std::int64_t readers = 0;
  for (const nn::Node& each : network.nodes()) readers += std::ranges::count(each.inputs, node);
  return readers;
}

/// By node: the batch normalisation that is multiplied into it, or kNone.
std::vector<int> norms_to_fold(const nn::Network& network) {
  std::vector<int> norms(network.nodes().size(), kNone);
  for (std::size_t i = 0; i < norms.size(); ++i) {
    const nn::Node& node = network.nodes()[i];
    const int before = node.inputs.front();
    if (node.layer->keyword() != "batchnorm" || before == nn::kNetworkInput) continue;
    const std::string_view keyword = network.nodes()[static_cast<std::size_t>(before)].layer->keyword();
    if ((keyword == "conv" || keyword == "dense") && readers_of(network, before) == 1)
      norms[static_cast<std::size_t>(before)] = static_cast<int>(i);
  }
  return norms;
}

bool is_brace_without_node(const std::string& line) {
  return line.ends_with('{');
}

/// The network's lines without the folded normalisations. Those that stay get their names, which would be
/// counted anew.
std::vector<nn::LayerText> folded_lines(const nn::Network& network, const std::vector<int>& norms) {
  std::vector<nn::LayerText> lines;
  std::size_t node = 0;
  for (std::string line : network.lines()) {
    if (is_brace_without_node(line)) {
      lines.push_back({.text = line, .origin = "a folded network"});
      continue;
    }
    const nn::Node& own = network.nodes()[node];
    const bool is_folded = std::ranges::find(norms, static_cast<int>(node)) != norms.end();
    const std::size_t no_bias = line.find(kNoBias);
    if (norms[node] != kNone && no_bias != std::string::npos) line.erase(no_bias, kNoBias.size());
    if (own.layer->keyword() == "batchnorm" && line.find(" name=") == std::string::npos)
      line += " name=" + own.name;
    if (!is_folded) lines.push_back({.text = line, .origin = "a folded network"});
    ++node;
  }
  return lines;
}

/// The values of a network's tensors, by "layer/name".
std::map<std::string, std::span<const float>> values_of(const nn::Network& network,
                                                        const model::State& state) {
  std::map<std::string, std::span<const float>> values;
  const auto add = [&](const std::vector<nn::Tensor>& tensors, std::span<const float> flat) {
    for (const nn::Tensor& tensor : tensors)
      values[tensor.layer + '/' + tensor.name] =
          flat.subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size()));
  };
  add(network.parameters(), state.parameters);
  add(network.statistics(), state.statistics);
  return values;
}

/// Multiplies normalisation `norm` with `eps` into `weight` ([channels][…]) and `bias` ([channels]).
void fold(const std::map<std::string, std::span<const float>>& values, const std::string& norm, double eps,
          std::span<float> weight, std::span<float> bias) {
  const auto value = [&](const char* name, std::size_t c) {
    return static_cast<double>(values.at(norm + '/' + name)[c]);
  };
  const bool has_scale = values.contains(norm + "/weight");
  const std::size_t row = weight.size() / bias.size();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double factor = (has_scale ? value("weight", c) : 1) / std::sqrt(value("running_var", c) + eps);
    for (float& each : weight.subspan(c * row, row))
      each = static_cast<float>(static_cast<double>(each) * factor);
    bias[c] = static_cast<float>((static_cast<double>(bias[c]) - value("running_mean", c)) * factor +
                                 value("bias", c));
  }
}

double eps_of(const nn::Layer& norm) {
  for (const nn::Attribute& attribute : nn::attributes_of(norm))
    if (attribute.name == "eps") return std::get<double>(attribute.value);
  assert(false);
  return 0;
}

}  // namespace

FoldedNetwork fold_batch_normalization(const nn::Network& network, const model::State& state) {
  const std::vector<int> norms = norms_to_fold(network);
  nn::Network small(network.input(), folded_lines(network, norms), network.loss(), std::nullopt);
  model::State folded = model::make_state(small);
  const auto values = values_of(network, state);
  const auto copy = [&](const std::vector<nn::Tensor>& tensors, std::span<float> flat) {
    for (const nn::Tensor& tensor : tensors) {
      const auto found = values.find(tensor.layer + '/' + tensor.name);
      if (found != values.end())  // else a new bias, which is zero
        std::ranges::copy(found->second, flat.begin() + tensor.offset);
    }
  };
  copy(small.parameters(), folded.parameters);
  copy(small.statistics(), folded.statistics);
  const auto own = [&](const std::string& layer, const char* name) {
    const auto tensor = std::ranges::find_if(
        small.parameters(), [&](const nn::Tensor& each) { return each.layer == layer && each.name == name; });
    assert(tensor != small.parameters().end());
    return folded.parameters.subspan(static_cast<std::size_t>(tensor->offset),
                                     static_cast<std::size_t>(tensor->size()));
  };
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (norms[i] == kNone) continue;
    const nn::Node& norm = network.nodes()[static_cast<std::size_t>(norms[i])];
    const std::string& layer = network.nodes()[i].name;
    fold(values, norm.name, eps_of(*norm.layer), own(layer, "weight"), own(layer, "bias"));
  }
  return {std::move(small), std::move(folded)};
}

}  // namespace convoy::predict
