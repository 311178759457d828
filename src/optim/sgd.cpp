// Stochastic gradient descent with momentum.

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

class Sgd final : public Optimizer {
 public:
  explicit Sgd(const OptimizerOptions& options)
      : momentum_(static_cast<float>(options.momentum)),
        weight_decay_(options.weight_decay),
        is_nesterov_(options.nesterov),
        has_momentum_(options.momentum > 0) {}

  [[nodiscard]] std::vector<std::string_view> states() const override {
    if (!has_momentum_) return {};
    return {"momentum"};
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms&) const override {
    // Local copies, because the compiler must assume that a store to a parameter changes other floats.
    const auto lr = static_cast<float>(info.learning_rate * stretch.rate_factor);
    const float samples = info.samples;
    const auto decay = static_cast<float>(weight_decay_ * stretch.decay_factor);
    const float mu = momentum_;
    const bool is_first = info.step == 0;
    const float* const sum = stretch.gradient_sum;
    float* const parameters = stretch.parameters;
    float* const velocity = has_momentum_ ? stretch.states.front() : nullptr;
    for (std::int64_t i = 0; i < stretch.size; ++i) {
      const float g = sum[i] / samples + decay * parameters[i];
      float direction = g;
      if (velocity != nullptr) {
        velocity[i] = is_first ? g : mu * velocity[i] + g;
        direction = is_nesterov_ ? g + mu * velocity[i] : velocity[i];
      }
      parameters[i] -= lr * direction;
    }
  }

 private:
  float momentum_;
  double weight_decay_;
  bool is_nesterov_;
  bool has_momentum_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_sgd(const OptimizerOptions& options) {
  return std::make_unique<Sgd>(options);
}

}  // namespace convoy::optim
