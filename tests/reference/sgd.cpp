#include "reference/sgd.hpp"

namespace convoy::reference {

void sgd_step(const Sgd& options, const std::vector<double>& gradient, std::vector<double>& parameters,
              std::vector<double>& velocity) {
  const bool first = velocity.empty();
  velocity.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double g = gradient[i] + options.weight_decay * parameters[i];
    velocity[i] = first ? g : options.momentum * velocity[i] + g;
    parameters[i] -= options.rate * (options.nesterov ? g + options.momentum * velocity[i] : velocity[i]);
  }
}

}  // namespace convoy::reference
