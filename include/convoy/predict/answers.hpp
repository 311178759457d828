#pragma once
// What the outputs of a network mean as classes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/nn/loss.hpp"

namespace convoy::predict {

/// The class with the largest output of one sample, [classes]; the first one if several are equal. A NaN is
/// never larger.
[[nodiscard]] std::int64_t answer_of(std::span<const float> outputs);

/// The name of class `k`, else its number.
[[nodiscard]] std::string class_name_of(const std::vector<std::string>& names, std::int64_t k);

/// Probability of each class for one sample's outputs, [classes], as the loss understands them: their
/// softmax, or each one's sigmoid. Empty for the quadratic loss, whose outputs are no probabilities.
[[nodiscard]] std::vector<double> probabilities_of(nn::LossKind kind, std::span<const float> outputs);

}  // namespace convoy::predict
