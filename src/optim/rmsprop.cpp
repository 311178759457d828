// RMSprop, plain or centered, with or without momentum.

#include <cmath>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

class Rmsprop final : public Optimizer {
 public:
  explicit Rmsprop(const OptimizerOptions& options) : options_(options) {}

  [[nodiscard]] std::vector<std::string_view> states() const override {
    std::vector<std::string_view> names{"square"};
    if (options_.centered) names.emplace_back("mean");
    if (options_.momentum > 0) names.emplace_back("momentum");
    return names;
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms&) const override {
    if (options_.centered)
      options_.momentum > 0 ? update_as<true, true>(info, stretch) : update_as<true, false>(info, stretch);
    else
      options_.momentum > 0 ? update_as<false, true>(info, stretch) : update_as<false, false>(info, stretch);
  }

 private:
  /// Loops without branches are vectorised.
  template <bool kIsCentered, bool kHasMomentum>
  void update_as(const StepInfo& info, const Stretch& stretch) const {
    // Local copies, because the compiler must assume that a store to a parameter changes other floats.
    const auto lr = static_cast<float>(info.learning_rate * stretch.rate_factor);
    const auto lambda = static_cast<float>(options_.weight_decay * stretch.decay_factor);
    const auto keep = static_cast<float>(options_.alpha);
    const auto add = static_cast<float>(1 - options_.alpha);
    const auto mu = static_cast<float>(options_.momentum);
    const auto epsilon = static_cast<float>(options_.epsilon.value_or(1e-8));
    const float samples = info.samples;
    const float* const sum = stretch.gradient_sum;
    float* const parameters = stretch.parameters;
    float* const square = stretch.states.front();
    float* const mean = kIsCentered ? stretch.states[1] : nullptr;
    float* const velocity = kHasMomentum ? stretch.states.back() : nullptr;
    const std::int64_t size = stretch.size;
    for (std::int64_t i = 0; i < size; ++i) {
      const float p = parameters[i];
      const float g = sum[i] / samples + lambda * p;
      const float s = keep * square[i] + add * (g * g);
      square[i] = s;
      float variance = s;
      if constexpr (kIsCentered) {
        const float m = keep * mean[i] + add * g;
        mean[i] = m;
        // Never below 0 in exact arithmetic; rounding may make it so.
        const float difference = s - m * m;
        variance = difference > 0 ? difference : 0.0F;
      }
      float direction = g / (std::sqrt(variance) + epsilon);
      if constexpr (kHasMomentum) {
        direction = mu * velocity[i] + direction;
        velocity[i] = direction;
      }
      parameters[i] = p - lr * direction;
    }
  }

  OptimizerOptions options_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_rmsprop(const OptimizerOptions& options) {
  return std::make_unique<Rmsprop>(options);
}

}  // namespace convoy::optim
