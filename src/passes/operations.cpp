#include "convoy/passes/operations.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace convoy::passes {
namespace {

constexpr int kNobody = -1;

/// The only node that reads the output of `node`; kNobody if no node or several nodes read it.
int only_reader(const nn::Network& network, int node) {
  int reader = kNobody;
  for (int i = node + 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const auto times = std::ranges::count(network.nodes()[static_cast<std::size_t>(i)].inputs, node);
    if (times == 0) continue;
    if (times > 1 || reader != kNobody) return kNobody;
    reader = i;
  }
  return reader;
}

}  // namespace

std::vector<Operation> plan_operations(const nn::Network& network) {
  const auto& nodes = network.nodes();
  std::vector<Operation> operations;
  std::vector<bool> is_fused(nodes.size());
  for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
    const nn::Layer& layer = *nodes[static_cast<std::size_t>(i)].layer;
    const nn::Traits traits = layer.traits();
    if (traits.is_view || is_fused[static_cast<std::size_t>(i)]) continue;
    Operation& operation = operations.emplace_back(Operation{.node = i, .output = i});
    if (!traits.takes_epilogue) continue;
    const auto fuse = [&](int node) {
      is_fused[static_cast<std::size_t>(node)] = true;
      operation.output = node;
    };
    int reader = only_reader(network, i);
    if (reader != kNobody && nodes[static_cast<std::size_t>(reader)].layer->traits().is_sum) {
      const auto& inputs = nodes[static_cast<std::size_t>(reader)].inputs;
      const int other = inputs[0] == i ? inputs[1] : inputs[0];
      if (other < i) {  // computed before this layer runs
        operation.addend = other;
        fuse(reader);
        reader = only_reader(network, reader);
      }
    }
    if (reader != kNobody) {
      operation.activation = nodes[static_cast<std::size_t>(reader)].layer->traits().activation;
      if (!operation.activation.is_none()) fuse(reader);
    }
  }
  return operations;
}

std::vector<OperationRanges> operation_ranges(const nn::Network& network) {
  std::vector<OperationRanges> ranges;
  for (const Operation& operation : plan_operations(network)) {
    const nn::Node& node = network.nodes()[static_cast<std::size_t>(operation.node)];
    std::int64_t statistics = 0;
    for (const nn::Statistic& each : node.layer->statistics()) statistics += count(each.dims);
    const std::int64_t first = node.parameter_offset;
    const std::int64_t first_statistic = network.parameter_count() + node.statistic_offset;
    ranges.push_back(
        {{first, first + nn::parameter_count(*node.layer)}, {first_statistic, first_statistic + statistics}});
  }
  return ranges;
}

int operations_apart(const nn::Network& network) {
  const std::vector<Operation> operations = plan_operations(network);
  const auto numbers = [&](int node) { return network.shape_of(node).size() * kLanes; };
  int best = static_cast<int>(operations.size());
  std::int64_t saved = 0;
  std::int64_t most_saved = 0;
  for (int i = best; i-- > 0;) {
    const Operation& operation = operations[static_cast<std::size_t>(i)];
    const nn::Node& node = network.nodes()[static_cast<std::size_t>(operation.node)];
    std::int64_t activations = numbers(operation.output);
    for (const int input : node.inputs) activations += numbers(input);
    if (operation.addend != Operation::kNone) activations += numbers(operation.addend);
    saved += nn::parameter_count(*node.layer) - activations / 2;  // half of them: measured with VGG-11
    if (saved <= most_saved) continue;
    most_saved = saved;
    best = i;
  }
  return best;
}

std::string describe(const nn::Network& network, const Operation& operation) {
  const auto name = [&](int node) { return network.nodes()[static_cast<std::size_t>(node)].name; };
  std::string text = name(operation.node);
  const bool is_activated = !operation.activation.is_none();
  // The sum is right before the activation, if both exist.
  if (operation.addend != Operation::kNone) {
    const int sum = is_activated ? network.nodes()[static_cast<std::size_t>(operation.output)].inputs.front()
                                 : operation.output;
    text += " + " + name(sum);
  }
  if (is_activated) text += " + " + name(operation.output);
  return text;
}

std::string describe_operations(const nn::Network& network, const kernels::Planner& planner,
                                std::int64_t micro_batch, Precision precision) {
  const nn::CallSetting setting{
      .planner = planner, .blocks = lane_blocks(micro_batch), .precision = precision};
  std::ostringstream text;
  for (const Operation& operation : plan_operations(network)) {
    const nn::Node& node = network.nodes()[static_cast<std::size_t>(operation.node)];
    const bool wants_diff_src = network.wants_diff(node.inputs.front());
    const std::string algorithms = node.layer->algorithms(setting, wants_diff_src);
    text << "  " << std::left << std::setw(algorithms.empty() ? 0 : 36) << describe(network, operation)
         << algorithms << '\n';
  }
  return text.str();
}

}  // namespace convoy::passes
