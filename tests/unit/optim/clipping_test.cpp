#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"
#include "reference/sgd.hpp"

namespace convoy::optim::clipping_test {
namespace {

using namespace test;

constexpr OptimizerOptions kMomentum{.momentum = 0.9, .weight_decay = 0.1};

/// kMomentum of the reference after kSteps, with `clip` before each step.
template <class Clip>
std::vector<std::vector<double>> expected_parameters(const Clip& clip) {
  std::vector<std::vector<double>> expected = first_parameters();
  std::vector<std::vector<double>> velocities(kTensors.size());
  for (int step = 0; step < kSteps; ++step) {
    auto of_step = gradients(step);
    clip(of_step);
    for (std::size_t i = 0; i < kTensors.size(); ++i)
      reference::sgd_step({.rate = kRate * kTensors[i].rate_factor,
                           .momentum = kMomentum.momentum,
                           .weight_decay = kMomentum.weight_decay * kTensors[i].decay_factor},
                          of_step[i], expected[i], velocities[i]);
  }
  return expected;
}

OptimizerOptions clipping(double norm, double value) {
  OptimizerOptions options = kMomentum;
  options.clip_norm = norm;
  options.clip_value = value;
  return options;
}

/// As in sgd_test.cpp: |v| < 12, |p| < 12, 8 roundings of a step and 2 of the clipping, which last for 10
/// steps.
constexpr double kTolerance = kSteps * 10 * 10 * 12 * 2 * kRate * 0x1p-24 + kSteps * 12 * 0x1p-24;

TEST(Clipping, MatchesTheReferenceOver50StepsInAnyStretches) {
  // The norm of 908 elements between 1/4 and 1 is about 19.
  for (const double norm : {0.0, 3.0, 19.5, 100.0}) {
    for (const double value : {0.0, 0.1, 0.5}) {
      SCOPED_TRACE(std::to_string(norm) + ", " + std::to_string(value));
      const auto expected = expected_parameters([&](std::vector<std::vector<double>>& gradient) {
        if (norm > 0) reference::clip_norm(norm, gradient);
        if (value > 0) reference::clip_value(value, gradient);
      });
      const std::unique_ptr<const Optimizer> optimizer = make_optimizer(clipping(norm, value));
      EXPECT_LT(distance(run(*optimizer), expected), kTolerance);
      expect_same_bits_in_any_stretches(*optimizer);
    }
  }
}

TEST(Clipping, LeavesTheBitsOfAGradientWithinTheLimits) {
  const Trained plain = run(*make_optimizer(kMomentum));
  EXPECT_EQ(run(*make_optimizer(clipping(100, 0))), plain);
  EXPECT_EQ(run(*make_optimizer(clipping(0, 2))), plain);
  EXPECT_NE(run(*make_optimizer(clipping(3, 0))), plain);
  EXPECT_NE(run(*make_optimizer(clipping(0, 0.5))), plain);
}

TEST(Clipping, WorksAroundOptimizersWithNormsOfTheirOwn) {
  for (const OptimizerKind kind : {OptimizerKind::kLars, OptimizerKind::kLamb}) {
    OptimizerOptions options = clipping(3, 0.05);
    options.kind = kind;
    options.trust_coefficient = 0.5;
    const std::unique_ptr<const Optimizer> optimizer = make_optimizer(options);
    EXPECT_EQ(optimizer->norm_stages(), (std::vector{1, 2}));
    expect_same_bits_in_any_stretches(*optimizer);
    options.clip_value = 0;
    EXPECT_NE(run(*make_optimizer(options)), run(*optimizer));
    EXPECT_NE(run(*make_optimizer(options)), run(*kOptimizers[static_cast<std::size_t>(kind)].make(options)));
  }
}

// FusedLAMB's: lamb alone clips the norm to 1 unless told otherwise, without PyTorch's 1e-6.
TEST(Clipping, LambMatchesTheReferenceWithItsOwnLimit) {
  std::vector<std::vector<double>> expected = first_parameters();
  std::vector<reference::Moment> means(kTensors.size());
  std::vector<reference::Moment> squares(kTensors.size());
  for (int step = 0; step < kSteps; ++step) {
    auto of_step = gradients(step);
    reference::clip_norm(1, of_step, 0);
    for (std::size_t i = 0; i < kTensors.size(); ++i)
      reference::lamb_step({.rate = kRate * kTensors[i].rate_factor,
                            .weight_decay = 0.1 * kTensors[i].decay_factor,
                            .is_adapted = kTensors[i].decay_factor > 0},
                           step + 1, of_step[i], expected[i], means[i], squares[i]);
  }
  const OptimizerOptions options{.kind = OptimizerKind::kLamb, .weight_decay = 0.1};
  // lamb_test.cpp's, with two more roundings of a gradient.
  EXPECT_LT(distance(run(*make_optimizer(options)), expected), 8 * kSteps * (2 * kRate * 600 + 4) * 0x1p-24);
  EXPECT_EQ(make_optimizer(options)->norm_stages(), (std::vector{1, 2}));
  OptimizerOptions unlimited = options;
  unlimited.clip_norm = 0;
  EXPECT_EQ(make_optimizer(unlimited)->norm_stages(), std::vector{2});
}

/// The parameter after one step of 1 with `gradient`.
float updated(const OptimizerOptions& options, float gradient) {
  const std::unique_ptr<const Optimizer> optimizer = make_optimizer(options);
  float parameter = 0;
  const Stretch whole{.size = 1, .gradient_sum = &gradient, .parameters = &parameter, .states = {}};
  NormValues norms;
  measure(*optimizer, {.learning_rate = 1}, {whole}, norms);
  optimizer->update({.learning_rate = 1}, whole, norms.norms());
  return parameter;
}

TEST(Clipping, DoesNotHideWhatIsNotFinite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(updated({.clip_norm = 1}, kNan)));
  EXPECT_TRUE(std::isnan(updated({.clip_value = 1}, kNan)));
  EXPECT_TRUE(std::isnan(updated({.clip_norm = 1}, std::numeric_limits<float>::infinity())));
}

TEST(Clipping, ByHand) {
  EXPECT_EQ(updated({.clip_value = 0.5}, 2), -0.5F);
  EXPECT_EQ(updated({.clip_value = 0.5}, -2), 0.5F);
  EXPECT_EQ(updated({.clip_value = 0.5}, 0.25F), -0.25F);
  EXPECT_NEAR(static_cast<double>(updated({.clip_norm = 0.5}, 2)), -0.5, 1e-6);
  EXPECT_EQ(updated({.clip_norm = 0.5}, 0.25F), -0.25F);
}

}  // namespace
}  // namespace convoy::optim::clipping_test
