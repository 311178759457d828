#pragma once
// An optimizer for tests that uses every feature: a state, two stages of norms, the second with two vectors
// and dependent on the first, norms of single tensors and of all tensors.

#include <algorithm>
#include <array>
#include <cmath>

#include "convoy/optim/optimizer.hpp"

namespace convoy::test {

///   stage 0: |g|, of all tensors;  c = min(1, 1/|g|)
///   stage 1: m ← m/2 + c·g; of each tensor |p| and |m|
///   p ← p − lr·(|p| + 1)/(|m| + 1)·m
class NormScaled final : public optim::Optimizer {
 public:
  [[nodiscard]] std::vector<std::string_view> states() const override { return {"mean"}; }
  [[nodiscard]] std::vector<int> norm_stages() const override { return {1, 2}; }

  void measure(int stage, const optim::StepInfo& info, const optim::Stretch& stretch,
               const optim::Norms& earlier, std::span<double> squares) const override {
    std::array<float, optim::kNormBlock> gradient{};
    const auto size = static_cast<std::size_t>(stretch.size);
    for (std::size_t i = 0; i < size; ++i) gradient[i] = stretch.gradient_sum[i] / info.samples;
    if (stage == 0) {
      squares[0] = optim::sum_of_squares(std::span(gradient).first(size));
      return;
    }
    const auto clip = static_cast<float>(std::min(1.0, 1 / earlier.of_all(0)));
    float* const mean = stretch.states.front();
    for (std::size_t i = 0; i < size; ++i) mean[i] = 0.5F * mean[i] + clip * gradient[i];
    squares[0] = optim::sum_of_squares({stretch.parameters, size});
    squares[1] = optim::sum_of_squares({mean, size});
  }

  void update(const optim::StepInfo& info, const optim::Stretch& stretch,
              const optim::Norms& norms) const override {
    const auto trust = static_cast<float>((norms.of_tensor(1, stretch.tensor) + 1) /
                                          (norms.of_tensor(2, stretch.tensor) + 1));
    const auto lr = static_cast<float>(info.learning_rate);
    for (std::int64_t i = 0; i < stretch.size; ++i)
      stretch.parameters[i] -= lr * trust * stretch.states.front()[i];
  }
};

}  // namespace convoy::test
