#pragma once
// Stochastic gradient descent with momentum as in PyTorch (src/CONTRACT.md, "Configuration").

#include <vector>

namespace convoy::reference {

struct Sgd {
  double rate = 0.1;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
};

/// g = gradient + λ·p; v ← μ·v + g (v = g at the first step, when `velocity` is empty);
/// p ← p − rate·v, or with Nesterov p ← p − rate·(g + μ·v).
void sgd_step(const Sgd& options, const std::vector<double>& gradient, std::vector<double>& parameters,
              std::vector<double>& velocity);

}  // namespace convoy::reference
