#include <gtest/gtest.h>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"

namespace convoy::optim::rmsprop_test {
namespace {

using namespace test;

/// In the first step s = (1 − α)·g², so |d| ≤ 1/√(1 − α) = 10; centered, s − a² ≥ s·α, and later it is about
/// a third of s or more. A direction errs by at most 200 roundings, relatively (3·50 of s, halved, and those
/// of s − a², tripled), and momentum keeps it for 1/(1 − μ) = 2 steps; the rate of one tensor is twice kRate.
constexpr double kTolerance = 2 * kSteps * (2 * kRate * 10 * 2 * 200 + 8) * 0x1p-24;

TEST(Rmsprop, MatchesTheReferenceOver50StepsInAnyStretches) {
  for (const bool is_centered : {false, true}) {
    for (const double momentum : {0.0, 0.5}) {
      const OptimizerOptions options{.kind = OptimizerKind::kRmsprop,
                                     .momentum = momentum,
                                     .weight_decay = 0.1,
                                     .epsilon = 1e-3,
                                     .centered = is_centered};
      SCOPED_TRACE(std::to_string(momentum) + (is_centered ? ", centered" : ""));
      std::vector<std::vector<double>> expected = first_parameters();
      std::vector<reference::Moment> squares(3);
      std::vector<reference::Moment> means(3);
      std::vector<reference::Moment> velocities(3);
      for (int step = 0; step < kSteps; ++step) {
        const auto of_step = gradients(step);
        for (std::size_t i = 0; i < kTensors.size(); ++i)
          reference::rmsprop_step({.rate = kRate * kTensors[i].rate_factor,
                                   .epsilon = 1e-3,
                                   .momentum = momentum,
                                   .is_centered = is_centered,
                                   .weight_decay = 0.1 * kTensors[i].decay_factor},
                                  of_step[i], expected[i], squares[i], means[i], velocities[i]);
      }
      const std::unique_ptr<const Optimizer> optimizer = make_optimizer(options);
      EXPECT_LT(distance(run(*optimizer), expected), kTolerance);
      expect_same_bits_in_any_stretches(*optimizer);
    }
  }
}

TEST(Rmsprop, KeepsTheStatesThatItNeeds) {
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(make_rmsprop({})->states(), Names{"square"});
  EXPECT_EQ(make_rmsprop({.momentum = 0.5})->states(), (Names{"square", "momentum"}));
  EXPECT_EQ(make_rmsprop({.momentum = 0.5, .centered = true})->states(),
            (Names{"square", "mean", "momentum"}));
}

// A constant gradient: s − a² tends to 0, which rounding may make negative.
TEST(Rmsprop, CenteredNeverTakesTheRootOfANegativeNumber) {
  const float gradient = 0.3F;
  float parameter = 1;
  float square = 0;
  float mean = 0;
  const std::array<float*, 2> states{&square, &mean};
  const auto optimizer = make_rmsprop({.epsilon = 1e-3, .alpha = 0.5, .centered = true});
  for (int step = 0; step < 200; ++step) {
    optimizer->update({.step = step, .learning_rate = 1e-6},
                      {.size = 1, .gradient_sum = &gradient, .parameters = &parameter, .states = states}, {});
    ASSERT_GT(parameter, 0) << step;
    ASSERT_LT(parameter, 1) << step;
  }
}

}  // namespace
}  // namespace convoy::optim::rmsprop_test
