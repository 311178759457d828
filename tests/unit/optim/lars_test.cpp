#include <gtest/gtest.h>

#include <cmath>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"

namespace convoy::optim::lars_test {
namespace {

using namespace test;

// Large, so that the trust ratio (a thousandth of |p|/|g| otherwise) moves the parameters.
constexpr double kTrust = 0.5;

/// |v| ≤ 1/(1 − μ)·(1 + λ·|p|) < 12, L < 2, |p| < 2: a step errs by at most 8 roundings of each, and an error
/// of v lasts for 10 steps. Norms are sums in double and add nothing.
constexpr double kTolerance = kSteps * (2 * kRate * 2 * 12 * 8 * 10 + 8) * 0x1p-24;

std::vector<std::vector<double>> expected_parameters(double weight_decay, double epsilon) {
  std::vector<std::vector<double>> expected = first_parameters();
  std::vector<reference::Moment> velocities(kTensors.size());
  for (int step = 0; step < kSteps; ++step) {
    const auto of_step = gradients(step);
    for (std::size_t i = 0; i < kTensors.size(); ++i)
      reference::lars_step({.rate = kRate * kTensors[i].rate_factor,
                            .weight_decay = weight_decay * kTensors[i].decay_factor,
                            .trust_coefficient = kTrust,
                            .epsilon = epsilon,
                            .is_adapted = kTensors[i].decay_factor > 0},
                           of_step[i], expected[i], velocities[i]);
  }
  return expected;
}

TEST(Lars, MatchesTheReferenceOver50StepsInAnyStretches) {
  for (const double weight_decay : {0.0, 0.1}) {
    for (const double epsilon : {0.0, 0.5}) {
      const std::unique_ptr<const Optimizer> optimizer = make_optimizer({.kind = OptimizerKind::kLars,
                                                                         .momentum = 0.9,
                                                                         .weight_decay = weight_decay,
                                                                         .epsilon = epsilon,
                                                                         .trust_coefficient = kTrust});
      const Trained trained = run(*optimizer);
      EXPECT_LT(distance(trained, expected_parameters(weight_decay, epsilon)), kTolerance) << weight_decay;
      EXPECT_GT(distance(trained, expected_parameters(weight_decay, epsilon + 0.1)), kTolerance);
      expect_same_bits_in_any_stretches(*optimizer);
    }
  }
}

/// One update of one tensor of two elements, without momentum.
std::array<float, 2> updated(std::array<float, 2> parameters, std::array<float, 2> gradient,
                             double decay_factor) {
  const auto lars = make_lars({.kind = OptimizerKind::kLars, .trust_coefficient = 0.5});
  const Stretch whole{.decay_factor = decay_factor,
                      .size = 2,
                      .gradient_sum = gradient.data(),
                      .parameters = parameters.data(),
                      .states = {}};
  NormValues norms;
  measure(*lars, {.learning_rate = 1}, {whole}, norms);
  lars->update({.learning_rate = 1}, whole, norms.norms());
  return parameters;
}

// By hand: |p| = 5, |g| = 10, L = 0.5·5/10 = 1/4.
TEST(Lars, ScalesEachTensorByItsNorms) {
  EXPECT_EQ(updated({3, 4}, {6, 8}, 1), (std::array{1.5F, 2.0F}));
}

TEST(Lars, TakesThePlainGradientOfWhatDoesNotDecayAndIfANormIsZero) {
  EXPECT_EQ(updated({3, 4}, {6, 8}, 0), (std::array{-3.0F, -4.0F}));
  EXPECT_EQ(updated({0, 0}, {6, 8}, 1), (std::array{-6.0F, -8.0F}));
  EXPECT_EQ(updated({3, 4}, {0, 0}, 1), (std::array{3.0F, 4.0F}));
}

}  // namespace
}  // namespace convoy::optim::lars_test
