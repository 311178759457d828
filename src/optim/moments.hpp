#pragma once
// What adam, adamw and lamb share: running means of the gradient and of its square, corrected for their start
// from zero (Kingma & Ba 2015, algorithm 1). Private to the optim room.

#include <cmath>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {

/// base^exponent by squaring, for exponents of 0 or more: products alone, so the same bits everywhere.
inline double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

/// The factors of an update, in float for its loop.
struct MomentFactors {
  float keep_mean;      ///< β₁
  float add_mean;       ///< 1 − β₁
  float keep_square;    ///< β₂
  float add_square;     ///< 1 − β₂
  double correction;    ///< 1 − β₁ᵗ
  float root_of_scale;  ///< 1/√(1 − β₂ᵗ)
  float epsilon;

  MomentFactors(const OptimizerOptions& options, double default_epsilon, const StepInfo& info)
      : keep_mean(static_cast<float>(options.beta1)),
        add_mean(static_cast<float>(1 - options.beta1)),
        keep_square(static_cast<float>(options.beta2)),
        add_square(static_cast<float>(1 - options.beta2)),
        correction(1 - power(options.beta1, info.step + 1)),
        root_of_scale(static_cast<float>(1 / std::sqrt(1 - power(options.beta2, info.step + 1)))),
        epsilon(static_cast<float>(options.epsilon.value_or(default_epsilon))) {}
};

/// adam and adamw: the two differ in where weight decay acts.
struct AdamDecay {
  double into_gradient = 0;  ///< λ of L2
  double shrink = 1;         ///< 1 − lr·λ of decoupled decay
};
inline void adam_update(const MomentFactors& factors, const AdamDecay& decay, const StepInfo& info,
                        const Stretch& stretch) {
  // Local copies, because the compiler must assume that a store to a parameter changes other floats.
  const MomentFactors f = factors;
  const auto rate = static_cast<float>(info.learning_rate * stretch.rate_factor / f.correction);
  const auto lambda = static_cast<float>(decay.into_gradient);
  const auto shrink = static_cast<float>(decay.shrink);
  const float samples = info.samples;
  const float* const sum = stretch.gradient_sum;
  float* const parameters = stretch.parameters;
  float* const mean = stretch.states[0];
  float* const square = stretch.states[1];
  for (std::int64_t i = 0; i < stretch.size; ++i) {
    const float p = parameters[i];
    const float g = sum[i] / samples + lambda * p;
    const float m = f.keep_mean * mean[i] + f.add_mean * g;
    const float s = f.keep_square * square[i] + f.add_square * (g * g);
    mean[i] = m;
    square[i] = s;
    parameters[i] = shrink * p - rate * (m / (std::sqrt(s) * f.root_of_scale + f.epsilon));
  }
}

}  // namespace convoy::optim
