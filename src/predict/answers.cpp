#include "convoy/predict/answers.hpp"

#include <algorithm>

#include "convoy/core/math.hpp"

namespace convoy::predict {

std::int64_t answer_of(std::span<const float> outputs) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < outputs.size(); ++k)
    if (outputs[k] > outputs[best]) best = k;
  return static_cast<std::int64_t>(best);
}

std::string class_name_of(const std::vector<std::string>& names, std::int64_t k) {
  const auto index = static_cast<std::size_t>(k);
  return index < names.size() ? names[index] : std::to_string(k);
}

std::vector<double> probabilities_of(nn::LossKind kind, std::span<const float> outputs) {
  if (nn::takes_targets(kind)) return {};
  std::vector<double> result(outputs.begin(), outputs.end());
  if (kind == nn::LossKind::kSigmoidCrossEntropy) {
    for (double& value : result) value = 1 / (1 + math::exp(-value));
    return result;
  }
  const double largest = *std::ranges::max_element(result);
  double total = 0;
  for (double& value : result) total += value = math::exp(value - largest);
  for (double& value : result) value /= total;
  return result;
}

}  // namespace convoy::predict
