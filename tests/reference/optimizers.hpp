#pragma once
// Optimizers beside sgd (sgd.hpp), one tensor and one step at a time, as their papers and PyTorch define
// them.

#include <vector>

namespace convoy::reference {

/// A state of an optimizer; empty before the first step, then one number per element.
using Moment = std::vector<double>;

struct Adam {
  double rate = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool is_decoupled = false;  ///< adamw
};

/// Step `step` = 1, 2, …, of Kingma & Ba 2015, algorithm 1:
///   g = gradient (+ λ·p: adam); p ← p − rate·λ·p (adamw);
///   m ← β₁·m + (1 − β₁)·g; s ← β₂·s + (1 − β₂)·g²; m̂ = m/(1 − β₁ᵗ); ŝ = s/(1 − β₂ᵗ);
///   p ← p − rate·m̂/(√ŝ + ε).
void adam_step(const Adam& options, int step, const std::vector<double>& gradient,
               std::vector<double>& parameters, Moment& mean, Moment& square);

struct Rmsprop {
  double rate = 0.1;
  double alpha = 0.99;
  double epsilon = 1e-8;
  double momentum = 0;
  bool is_centered = false;
  double weight_decay = 0;
};

/// g = gradient + λ·p; s ← α·s + (1 − α)·g²; a ← α·a + (1 − α)·g;
/// d = g/(√s + ε), or centered g/(√(s − a²) + ε); v ← μ·v + d; p ← p − rate·v.
void rmsprop_step(const Rmsprop& options, const std::vector<double>& gradient,
                  std::vector<double>& parameters, Moment& square, Moment& mean, Moment& velocity);

struct Lars {
  double rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 0;
  double trust_coefficient = 0.001;
  double epsilon = 0;
  bool is_adapted = true;  ///< false: biases and normalisation, L = 1 without decay
};

/// v ← μ·v + g + λ·p; p ← p − rate·L·v; L = η·|p|/(|g| + λ·|p| + ε), and 1 if a norm is 0.
void lars_step(const Lars& options, const std::vector<double>& gradient, std::vector<double>& parameters,
               Moment& velocity);

struct Lamb {
  double rate = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0;
  bool is_adapted = true;
};

/// Moments and m̂, ŝ as in adam_step(); u = m̂/(√ŝ + ε) + λ·p; p ← p − rate·|p|/|u|·u, the ratio 1 if a norm is
/// 0.
void lamb_step(const Lamb& options, int step, const std::vector<double>& gradient,
               std::vector<double>& parameters, Moment& mean, Moment& square);

/// PyTorch's clip_grad_norm_ with 1e-6, FusedLAMB with 0: all tensors times min(1, limit/(|all| + epsilon)).
void clip_norm(double limit, std::vector<std::vector<double>>& gradients, double epsilon = 1e-6);
/// PyTorch's clip_grad_value_: each element to [−limit, limit].
void clip_value(double limit, std::vector<std::vector<double>>& gradients);

struct Lookahead {
  int step = 1;  ///< from 1
  int period = 5;
  double alpha = 0.5;
};
/// After update number `step`: if it is a multiple of the period, φ ← φ + α·(p − φ), p ← φ (Zhang et al.
/// 2019, algorithm 1; `slow` begins as the parameters).
void lookahead_step(const Lookahead& options, std::vector<double>& parameters, std::vector<double>& slow);

struct CubicLookahead {
  int step = 1;   ///< from 1
  int steps = 1;  ///< of the run
  int period = 5;
  double last_decay = 0.5;  ///< airbench94: 0.95⁵
};
/// The lookahead of Jordan's airbench94: every `period` steps φ ← a·φ + (1 − a)·p, p ← φ with a =
/// last_decay·(step/steps)³; after the last step p ← φ.
void cubic_lookahead_step(const CubicLookahead& options, std::vector<double>& parameters,
                          std::vector<double>& slow);

}  // namespace convoy::reference
