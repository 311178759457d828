#pragma once
// The optimizers there are, and their options. A new one is a source file in src/optim, its options, its name
// and its line in make_optimizer() here, and its keys (config/keys.cpp).

#include <memory>
#include <string_view>
#include <vector>

#include "convoy/optim/optimizer.hpp"

namespace convoy::optim {

/// In the order of optimizer_names().
enum class OptimizerKind { kSgd };

/// What the configuration says of the optimizer; each kind reads what it has a use for.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0;      ///< sgd: μ in [0, 1)
  bool nesterov = false;    ///< sgd: needs μ > 0
  double weight_decay = 0;  ///< λ ≥ 0, of parameters that decay
};

/// Values of the key optimizer.name.
[[nodiscard]] const std::vector<std::string_view>& optimizer_names();

/// The optimizer that `options` describe.
[[nodiscard]] std::unique_ptr<const Optimizer> make_optimizer(const OptimizerOptions& options);

/// Stochastic gradient descent with momentum, as PyTorch's:
///   g ← sum/samples, + λ·p where the parameter decays;  v ← μ·v + g (v = g at the first step);
///   p ← p − lr·v, or with Nesterov p ← p − lr·(g + μ·v).
/// Its state is "momentum" (v), unless μ is 0.
[[nodiscard]] std::unique_ptr<const Optimizer> make_sgd(const OptimizerOptions& options);

}  // namespace convoy::optim
