// LAMB: Adam's direction with decay, scaled to the norm of each tensor.

#include <array>
#include <cassert>

#include "moments.hpp"

namespace convoy::optim {
namespace {

class Lamb final : public Optimizer {
 public:
  explicit Lamb(const OptimizerOptions& options) : options_(options) {}

  [[nodiscard]] std::vector<std::string_view> states() const override { return {"mean", "square"}; }

  /// Of each tensor: its parameters, and its direction u.
  [[nodiscard]] std::vector<int> norm_stages() const override { return {2}; }

  /// Updates the states, too.
  void measure(int, const StepInfo& info, const Stretch& stretch, const Norms&,
               std::span<double> squares) const override {
    assert(stretch.size <= kNormBlock);
    const MomentFactors f(options_, kEpsilon, info);
    const float samples = info.samples;
    const float* const sum = stretch.gradient_sum;
    float* const mean = stretch.states[0];
    float* const square = stretch.states[1];
    for (std::int64_t i = 0; i < stretch.size; ++i) {
      const float g = sum[i] / samples;
      mean[i] = f.keep_mean * mean[i] + f.add_mean * g;
      square[i] = f.keep_square * square[i] + f.add_square * (g * g);
    }
    squares[0] = squares[1] = 0;
    if (!(stretch.decay_factor > 0)) return;
    const auto size = static_cast<std::size_t>(stretch.size);
    std::array<float, kNormBlock> direction;
    for_each_direction(f, stretch,
                       [&](std::int64_t i, float u) { direction[static_cast<std::size_t>(i)] = u; });
    squares[0] = sum_of_squares({stretch.parameters, size});
    squares[1] = sum_of_squares(std::span(direction).first(size));
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const override {
    double ratio = 1;
    if (stretch.decay_factor > 0) {
      const double of_parameters = norms.of_tensor(0, stretch.tensor);
      const double of_direction = norms.of_tensor(1, stretch.tensor);
      if (of_parameters > 0 && of_direction > 0) ratio = of_parameters / of_direction;
    }
    const auto rate = static_cast<float>(info.learning_rate * stretch.rate_factor * ratio);
    float* const parameters = stretch.parameters;
    for_each_direction(MomentFactors(options_, kEpsilon, info), stretch,
                       [=](std::int64_t i, float u) { parameters[i] -= rate * u; });
  }

 private:
  static constexpr double kEpsilon = 1e-6;

  /// Calls f(i, u) for every element, with the states of this step.
  template <class Function>
  void for_each_direction(const MomentFactors& factors, const Stretch& stretch, const Function& f) const {
    const auto inverse = static_cast<float>(1 / factors.correction);
    const float root_of_scale = factors.root_of_scale;
    const float epsilon = factors.epsilon;
    const auto lambda = static_cast<float>(options_.weight_decay * stretch.decay_factor);
    const float* const mean = stretch.states[0];
    const float* const square = stretch.states[1];
    const float* const parameters = stretch.parameters;
    const std::int64_t size = stretch.size;
    for (std::int64_t i = 0; i < size; ++i)
      f(i, inverse * mean[i] / (std::sqrt(square[i]) * root_of_scale + epsilon) + lambda * parameters[i]);
  }

  OptimizerOptions options_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_lamb(const OptimizerOptions& options) {
  return std::make_unique<Lamb>(options);
}

}  // namespace convoy::optim
