#include "convoy/optim/sgd.hpp"

#include <algorithm>

namespace convoy::optim {

void sgd_step(const SgdOptions& options, const std::vector<ParameterRange>& ranges, float lr, bool first_step,
              const Range& elements, const float* sum, float samples, float* parameters, float* velocity) {
  const auto mu = static_cast<float>(options.momentum);
  for (const ParameterRange& part : ranges) {
    const float decay = part.decays ? static_cast<float>(options.weight_decay) : 0.0F;
    const std::int64_t end = std::min(part.range.end, elements.end);
    for (std::int64_t i = std::max(part.range.begin, elements.begin); i < end; ++i) {
      const std::int64_t k = i - elements.begin;
      const float g = sum[k] / samples + decay * parameters[i];
      float direction = g;
      if (velocity != nullptr) {
        velocity[k] = first_step ? g : mu * velocity[k] + g;
        direction = options.nesterov ? g + mu * velocity[k] : velocity[k];
      }
      parameters[i] -= lr * direction;
    }
  }
}

}  // namespace convoy::optim
