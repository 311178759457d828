#pragma once
// Applies groups of parameters (optim/parameter_group.hpp) to the tensors of a network.

#include <string>
#include <vector>

#include "convoy/nn/network.hpp"
#include "convoy/optim/optimizer.hpp"
#include "convoy/optim/parameter_group.hpp"

namespace convoy::model {

/// How each parameter tensor of `network` is trained, in order. Throws ConfigError if a pattern of a group
/// matches no tensor.
[[nodiscard]] std::vector<optim::ParameterRange> parameter_ranges(
    const nn::Network& network, const std::vector<optim::ParameterGroup>& groups);

/// Each group with its settings and the tensors that are in it, a line each; empty without groups.
[[nodiscard]] std::string describe_groups(const nn::Network& network,
                                          const std::vector<optim::ParameterGroup>& groups);

}  // namespace convoy::model
