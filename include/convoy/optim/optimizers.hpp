#pragma once
// All optimizers and their options. To add one: a source file in src/optim, its options and its lines in
// OptimizerKind and kOptimizers here, and its keys (config/keys/optimizer.cpp).

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "convoy/optim/optimizer.hpp"

namespace convoy::optim {

/// In the order of kOptimizers.
enum class OptimizerKind { kSgd };

/// Optimizer settings of the configuration; each kind reads the settings that it needs.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0;      ///< sgd: μ in [0, 1)
  bool nesterov = false;    ///< sgd: needs μ > 0
  double weight_decay = 0;  ///< λ ≥ 0, for parameters that decay
};

/// Stochastic gradient descent with momentum, as in PyTorch:
///   g ← sum/samples, + λ·p if the parameter decays; v ← μ·v + g (v = g at the first step);
///   p ← p − lr·v, or with Nesterov p ← p − lr·(g + μ·v).
/// State: "momentum" (v), unless μ is 0.
[[nodiscard]] std::unique_ptr<const Optimizer> make_sgd(const OptimizerOptions& options);

struct OptimizerEntry {
  std::string_view name;  ///< value of the key optimizer.name
  std::unique_ptr<const Optimizer> (*make)(const OptimizerOptions& options);
};
inline constexpr std::array kOptimizers{OptimizerEntry{"sgd", make_sgd}};

/// Names of all optimizers.
[[nodiscard]] std::vector<std::string_view> optimizer_names();
/// The optimizer that `options` describe.
[[nodiscard]] std::unique_ptr<const Optimizer> make_optimizer(const OptimizerOptions& options);

}  // namespace convoy::optim
