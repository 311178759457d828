#pragma once
// All optimizers and their options. To add one: a source file in src/optim, its options and its lines in
// OptimizerKind and kOptimizers here, and its keys (config/keys/optimizer.cpp).
//
// In all equations: g is the gradient, sum/samples of a step, after clipping; λ is weight_decay times the
// tensor's decay factor (0: the tensor does not decay) and lr the learning rate times the tensor's rate
// factor; t counts updates from 1; states are zero before the first.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "convoy/optim/optimizer.hpp"

namespace convoy::optim {

/// In the order of kOptimizers.
enum class OptimizerKind { kSgd, kAdam, kAdamw, kRmsprop, kLars, kLamb };

/// How the slow weights follow the fast ones (look_ahead()).
enum class LookaheadSchedule { kConstant, kCubic };

/// Optimizer settings of the configuration; each kind reads the settings that it needs.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0;              ///< sgd, rmsprop, lars: μ in [0, 1)
  bool nesterov = false;            ///< sgd: needs μ > 0
  double weight_decay = 0;          ///< λ ≥ 0, for parameters that decay
  double beta1 = 0.9;               ///< adam, adamw, lamb: β₁ in [0, 1)
  double beta2 = 0.999;             ///< adam, adamw, lamb: β₂ in [0, 1)
  std::optional<double> epsilon{};  ///< all but sgd: ε; default 1e-8, lamb 1e-6, lars 0
  double alpha = 0.99;              ///< rmsprop: α in [0, 1)
  bool centered = false;            ///< rmsprop
  double trust_coefficient = 1e-3;  ///< lars: η > 0

  std::optional<double> clip_norm{};  ///< 0: none; default none, lamb 1
  double clip_value = 0;              ///< 0: none

  std::int64_t lookahead_steps = 0;  ///< 0: none
  double lookahead_alpha = 0.5;      ///< in (0, 1]
  LookaheadSchedule lookahead_schedule = LookaheadSchedule::kConstant;
};

/// Stochastic gradient descent with momentum, as in PyTorch:
///   g ← g + λ·p; v ← μ·v + g (v = g at the first step);
///   p ← p − lr·v, or with Nesterov p ← p − lr·(g + μ·v).
/// State: "momentum" (v), unless μ is 0.
[[nodiscard]] std::unique_ptr<const Optimizer> make_sgd(const OptimizerOptions& options);

/// Adam (Kingma & Ba 2015, algorithm 1), with decay as L2, as in PyTorch:
///   g ← g + λ·p; m ← β₁·m + (1 − β₁)·g; s ← β₂·s + (1 − β₂)·g²;
///   p ← p − lr/(1 − β₁ᵗ)·m/(√s/√(1 − β₂ᵗ) + ε).
/// States: "mean" (m), "square" (s).
[[nodiscard]] std::unique_ptr<const Optimizer> make_adam(const OptimizerOptions& options);

/// AdamW (Loshchilov & Hutter 2019), as in PyTorch: p ← (1 − lr·λ)·p, then adam's step with λ = 0.
/// States: "mean", "square".
[[nodiscard]] std::unique_ptr<const Optimizer> make_adamw(const OptimizerOptions& options);

/// RMSprop (Hinton 2012), as in PyTorch:
///   g ← g + λ·p; s ← α·s + (1 − α)·g²; d = g/(√s + ε);
///   centered: m ← α·m + (1 − α)·g; d = g/(√(s − m²) + ε);
///   v ← μ·v + d; p ← p − lr·v.
/// States: "square" (s), "mean" (m) if centered, "momentum" (v) unless μ is 0.
[[nodiscard]] std::unique_ptr<const Optimizer> make_rmsprop(const OptimizerOptions& options);

/// LARS (You, Gitman & Ginsburg 2017) in the variant of MLPerf's reference for ResNet-50, with the learning
/// rate and the trust ratio outside of the momentum:
///   v ← μ·v + g + λ·p; p ← p − lr·L·v; L = η·|p|/(|g| + λ·|p| + ε), norms of the tensor; 1 if |p| or |g| is
///   0.
/// Tensors whose decay factor is 0 have L = 1: plain momentum. State: "momentum" (v), unless μ is 0.
[[nodiscard]] std::unique_ptr<const Optimizer> make_lars(const OptimizerOptions& options);

/// LAMB (You et al. 2020) as in NVIDIA's FusedLAMB:
///   m, s as in adam with λ = 0; u = m/(1 − β₁ᵗ)/(√s/√(1 − β₂ᵗ) + ε) + λ·p;
///   p ← p − lr·|p|/|u|·u, norms of the tensor; the ratio is 1 if |p| or |u| is 0.
/// Tensors whose decay factor is 0 have the ratio 1, others have it also if weight_decay is 0 (FusedLAMB:
/// then not). States: "mean" (m), "square" (s).
[[nodiscard]] std::unique_ptr<const Optimizer> make_lamb(const OptimizerOptions& options);

/// `inner` with a gradient whose norm over all trained tensors is at most `limit`: g·min(1, limit/(|g| +
/// epsilon)), as PyTorch's clip_grad_norm_ with its epsilon of 1e-6, and FusedLAMB with 0. Divides the sum by
/// other samples, so a gradient that is not clipped keeps its bits. Adds a stage of norms.
[[nodiscard]] std::unique_ptr<const Optimizer> clip_by_norm(std::unique_ptr<const Optimizer> inner,
                                                            double limit, double epsilon);

/// `inner` with each element of the gradient clamped to [−limit, limit], as PyTorch's clip_grad_value_.
[[nodiscard]] std::unique_ptr<const Optimizer> clip_by_value(std::unique_ptr<const Optimizer> inner,
                                                             double limit);

/// Lookahead (Zhang et al. 2019, algorithm 1) around `inner`: slow weights φ, the parameters before the first
/// step; after every `steps` updates φ ← φ + α·(p − φ), p ← φ. kConstant: α = `alpha`. kCubic: with T steps
/// in all, α = 1 − (1 − alpha)·(t/T)³, and p ← φ after the last step (as in Jordan's airbench94, alpha = 1 −
/// 0.95⁵). Statistics of layers are no parameters and stay as they are. Adds the state "slow" (φ).
[[nodiscard]] std::unique_ptr<const Optimizer> look_ahead(std::unique_ptr<const Optimizer> inner,
                                                          std::int64_t steps, double alpha,
                                                          LookaheadSchedule schedule);

struct OptimizerEntry {
  std::string_view name;  ///< value of the key optimizer.name
  std::unique_ptr<const Optimizer> (*make)(const OptimizerOptions& options);
  /// The keys of [optimizer] that some optimizers read and others do not; unused places are empty.
  std::array<std::string_view, 4> reads;
};
inline constexpr std::array kOptimizers{
    OptimizerEntry{"sgd", make_sgd, {"momentum", "nesterov"}},
    OptimizerEntry{"adam", make_adam, {"beta1", "beta2", "epsilon"}},
    OptimizerEntry{"adamw", make_adamw, {"beta1", "beta2", "epsilon"}},
    OptimizerEntry{"rmsprop", make_rmsprop, {"momentum", "alpha", "epsilon", "centered"}},
    OptimizerEntry{"lars", make_lars, {"momentum", "trust-coefficient", "epsilon"}},
    OptimizerEntry{"lamb", make_lamb, {"beta1", "beta2", "epsilon"}},
};

/// Names of all optimizers.
[[nodiscard]] std::vector<std::string_view> optimizer_names();
/// Names of the schedules of lookahead, in the order of the enumeration.
[[nodiscard]] std::vector<std::string_view> lookahead_schedule_names();
/// The optimizer that `options` describe: the gradient is clipped by its norm, then by value; lookahead is
/// around all.
[[nodiscard]] std::unique_ptr<const Optimizer> make_optimizer(const OptimizerOptions& options);

}  // namespace convoy::optim
