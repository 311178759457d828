// LARS: momentum whose rate follows the norms of each tensor.

#include <array>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

class Lars final : public Optimizer {
 public:
  explicit Lars(const OptimizerOptions& options) : options_(options) {}

  [[nodiscard]] std::vector<std::string_view> states() const override {
    if (options_.momentum == 0) return {};
    return {"momentum"};
  }

  /// Of each tensor: its parameters, and the sum of its gradient.
  [[nodiscard]] std::vector<int> norm_stages() const override { return {2}; }

  void measure(int, const StepInfo&, const Stretch& stretch, const Norms&,
               std::span<double> squares) const override {
    const auto size = static_cast<std::size_t>(stretch.size);
    const bool is_adapted = stretch.decay_factor > 0;
    squares[0] = is_adapted ? sum_of_squares({stretch.parameters, size}) : 0;
    squares[1] = is_adapted ? sum_of_squares({stretch.gradient_sum, size}) : 0;
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const override {
    // Local copies, because the compiler must assume that a store to a parameter changes other floats.
    const auto rate =
        static_cast<float>(info.learning_rate * stretch.rate_factor * trust_ratio(info, stretch, norms));
    const auto lambda = static_cast<float>(options_.weight_decay * stretch.decay_factor);
    const auto mu = static_cast<float>(options_.momentum);
    const float samples = info.samples;
    const float* const sum = stretch.gradient_sum;
    float* const parameters = stretch.parameters;
    float* const velocity = mu > 0 ? stretch.states.front() : nullptr;
    for (std::int64_t i = 0; i < stretch.size; ++i) {
      float direction = sum[i] / samples + lambda * parameters[i];
      if (velocity != nullptr) {
        direction = mu * velocity[i] + direction;
        velocity[i] = direction;
      }
      parameters[i] -= rate * direction;
    }
  }

 private:
  /// L
  [[nodiscard]] double trust_ratio(const StepInfo& info, const Stretch& stretch, const Norms& norms) const {
    if (!(stretch.decay_factor > 0)) return 1;
    const double of_parameters = norms.of_tensor(0, stretch.tensor);
    const double of_gradient = norms.of_tensor(1, stretch.tensor) / static_cast<double>(info.samples);
    if (of_parameters == 0 || of_gradient == 0) return 1;
    const double lambda = options_.weight_decay * stretch.decay_factor;
    return options_.trust_coefficient * of_parameters /
           (of_gradient + lambda * of_parameters + options_.epsilon.value_or(0));
  }

  OptimizerOptions options_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_lars(const OptimizerOptions& options) {
  return std::make_unique<Lars>(options);
}

}  // namespace convoy::optim
