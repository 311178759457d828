#include "convoy/model/parameter_groups.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::model {
namespace {

std::string name_of(const nn::Tensor& tensor) {
  return tensor.layer + '.' + tensor.name;
}

/// The last group with a pattern for the tensor; null: none.
const optim::ParameterGroup* group_of(const nn::Tensor& tensor,
                                      const std::vector<optim::ParameterGroup>& groups) {
  const auto has_it = [name = name_of(tensor)](const optim::ParameterGroup& group) {
    return std::ranges::any_of(group.match,
                               [&](const std::string& pattern) { return optim::matches(pattern, name); });
  };
  const auto found = std::find_if(groups.rbegin(), groups.rend(), has_it);
  return found == groups.rend() ? nullptr : &*found;
}

void require_matches(const nn::Network& network, const optim::ParameterGroup& group) {
  for (const std::string& pattern : group.match) {
    const auto is_meant = [&](const nn::Tensor& tensor) { return optim::matches(pattern, name_of(tensor)); };
    if (std::ranges::any_of(network.parameters(), is_meant)) continue;
    std::vector<std::string> names;
    for (const nn::Tensor& tensor : network.parameters()) names.push_back(name_of(tensor));
    throw ConfigError(fmt::format(
        "optimizer.group.{}.match: '{}' matches no parameter of the network; its parameters are {}",
        group.name, pattern, names.empty() ? "none" : join(names, ", ")));
  }
}

std::string settings_of(const optim::ParameterGroup& group) {
  std::string text = "learning rate times " + shortest(group.rate_factor);
  if (group.decay_factor) text += ", weight decay times " + shortest(*group.decay_factor);
  if (group.is_frozen) return "frozen";
  if (group.freeze_after_epochs) {
    const double epochs = *group.freeze_after_epochs;
    text += ", frozen after " + shortest(epochs) + (epochs == 1 ? " epoch" : " epochs");
  }
  return text;
}

}  // namespace

std::vector<optim::ParameterRange> parameter_ranges(const nn::Network& network,
                                                    const std::vector<optim::ParameterGroup>& groups) {
  for (const optim::ParameterGroup& group : groups) require_matches(network, group);
  std::vector<optim::ParameterRange> ranges;
  for (const nn::Tensor& tensor : network.parameters()) {
    optim::ParameterRange& range = ranges.emplace_back(optim::ParameterRange{
        .range = {tensor.offset, tensor.offset + tensor.size()}, .decay_factor = tensor.decays ? 1.0 : 0.0});
    const optim::ParameterGroup* group = group_of(tensor, groups);
    if (group == nullptr) continue;
    range.rate_factor = group->rate_factor;
    range.decay_factor = group->decay_factor.value_or(range.decay_factor);
    range.frozen_from = group->is_frozen ? 0 : group->freeze_after_epochs.value_or(range.frozen_from);
  }
  return ranges;
}

std::string describe_groups(const nn::Network& network, const std::vector<optim::ParameterGroup>& groups) {
  if (groups.empty()) return {};
  std::string text = "Groups of parameters:\n";
  for (const optim::ParameterGroup& group : groups) {
    std::vector<std::string> names;
    for (const nn::Tensor& tensor : network.parameters())
      if (group_of(tensor, groups) == &group) names.push_back(name_of(tensor));
    text += fmt::format("  {} ({}): {}\n", group.name, settings_of(group),
                        names.empty() ? "no parameter, all are in later groups" : join(names, ", "));
  }
  return text;
}

}  // namespace convoy::model
