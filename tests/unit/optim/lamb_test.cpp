#include <gtest/gtest.h>

#include <cmath>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"

namespace convoy::optim::lamb_test {
namespace {

using namespace test;

/// As adam's (adam_test.cpp), with the ratio |p|/|u| below 4 as another factor.
constexpr double kTolerance = 4 * 2 * kSteps * (2 * kRate * 480 + 4) * 0x1p-24;

TEST(Lamb, MatchesTheReferenceOver50StepsInAnyStretches) {
  for (const double weight_decay : {0.0, 0.1}) {
    std::vector<std::vector<double>> expected = first_parameters();
    std::vector<reference::Moment> means(kTensors.size());
    std::vector<reference::Moment> squares(kTensors.size());
    for (int step = 0; step < kSteps; ++step) {
      const auto of_step = gradients(step);
      for (std::size_t i = 0; i < kTensors.size(); ++i)
        reference::lamb_step({.rate = kRate * kTensors[i].rate_factor,
                              .weight_decay = weight_decay * kTensors[i].decay_factor,
                              .is_adapted = kTensors[i].decay_factor > 0},
                             step + 1, of_step[i], expected[i], means[i], squares[i]);
    }
    const std::unique_ptr<const Optimizer> optimizer =
        make_lamb({.kind = OptimizerKind::kLamb, .weight_decay = weight_decay});
    EXPECT_LT(distance(run(*optimizer), expected), kTolerance) << weight_decay;
    expect_same_bits_in_any_stretches(*optimizer);
  }
}

/// One update of one tensor of two elements.
std::array<float, 2> updated(std::array<float, 2> parameters, std::array<float, 2> gradient,
                             double decay_factor) {
  const auto lamb = make_lamb({.kind = OptimizerKind::kLamb, .epsilon = 1e-12});
  std::array<float, 4> memory{};
  const std::array<float*, 2> states{memory.data(), memory.data() + 2};
  const Stretch whole{.decay_factor = decay_factor,
                      .size = 2,
                      .gradient_sum = gradient.data(),
                      .parameters = parameters.data(),
                      .states = states};
  NormValues norms;
  measure(*lamb, {.learning_rate = 0.5}, {whole}, norms);
  lamb->update({.learning_rate = 0.5}, whole, norms.norms());
  return parameters;
}

// By hand: u has the signs of the gradient, |u| = √2; the length of the step is the rate times |p|.
TEST(Lamb, TheFirstStepIsTheRateTimesTheNormOfTheTensor) {
  const auto adapted = updated({3, 4}, {1e-3F, -50}, 1);
  EXPECT_NEAR(static_cast<double>(adapted[0]), 3 - 2.5 / std::sqrt(2.0), 1e-5);
  EXPECT_NEAR(static_cast<double>(adapted[1]), 4 + 2.5 / std::sqrt(2.0), 1e-5);
}

TEST(Lamb, TakesAdamsStepOfWhatDoesNotDecayAndIfANormIsZero) {
  const auto plain = updated({3, 4}, {1e-3F, -50}, 0);
  EXPECT_NEAR(static_cast<double>(plain[0]), 2.5, 1e-5);
  EXPECT_NEAR(static_cast<double>(plain[1]), 4.5, 1e-5);
  const auto zero = updated({0, 0}, {1e-3F, -50}, 1);
  EXPECT_NEAR(static_cast<double>(zero[0]), -0.5, 1e-5);
  EXPECT_EQ(updated({3, 4}, {0, 0}, 1), (std::array{3.0F, 4.0F}));
}

}  // namespace
}  // namespace convoy::optim::lamb_test
