#include "convoy/optim/sgd.hpp"

#include <algorithm>

namespace convoy::optim {

void sgd_step(const SgdOptions& options, const std::vector<ParameterRange>& ranges, float lr, bool first_step,
              const float* gradient, float* parameters, float* velocity, const Team& team) {
  if (ranges.empty()) return;
  const Range share = team.share(ranges.back().range.end);
  const auto mu = static_cast<float>(options.momentum);
  for (const ParameterRange& part : ranges) {
    const float decay = part.decays ? static_cast<float>(options.weight_decay) : 0.0F;
    const std::int64_t end = std::min(part.range.end, share.end);
    for (std::int64_t i = std::max(part.range.begin, share.begin); i < end; ++i) {
      const float g = gradient[i] + decay * parameters[i];
      float direction = g;
      if (velocity != nullptr) {
        velocity[i] = first_step ? g : mu * velocity[i] + g;
        direction = options.nesterov ? g + mu * velocity[i] : velocity[i];
      }
      parameters[i] -= lr * direction;
    }
  }
}

}  // namespace convoy::optim
