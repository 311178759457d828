#pragma once
// Stochastic gradient descent with momentum, as PyTorch's.

#include <cstdint>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::optim {

struct SgdOptions {
  double momentum = 0;      ///< μ in [0, 1)
  bool nesterov = false;    ///< needs μ > 0
  double weight_decay = 0;  ///< λ ≥ 0, L2, on conv and dense weights alone
};

/// A stretch of the flat parameter vector with one rule for weight decay.
struct ParameterRange {
  Range range;
  bool decays = false;
};

/// One step of `elements` of the flat vector, from the sum of their gradients over `samples`:
///   g ← sum/samples, + λ·p where the range decays;  v ← μ·v + g (v = g at the first step);
///   p ← p − lr·v, or with Nesterov p ← p − lr·(g + μ·v).
/// Every element by itself, in float, so any share of any thread or rank gives the same bits. `sum` and
/// `velocity` begin with element elements.begin; `velocity` is null where μ = 0. `parameters` is the whole
/// vector.
void sgd_step(const SgdOptions& options, const std::vector<ParameterRange>& ranges, float lr, bool first_step,
              const Range& elements, const float* sum, float samples, float* parameters, float* velocity);

}  // namespace convoy::optim
