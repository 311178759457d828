#include <gtest/gtest.h>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"

namespace convoy::optim::adam_test {
namespace {

using namespace test;

/// The gradients of optimizer_run.hpp have absolute values from 1/4 to 1, and parameters stay below 4. Then
/// √ŝ ≥ 1/4 and m̂/√ŝ ≤ 4. m̂ errs by at most 4 roundings in each of its 1/(1 − β₁) = 10 last steps, and √ŝ by
/// half of 3·50 + 4 roundings, relatively: a direction by (40·4 + 4·80)·2⁻²⁴, times the rate, twice that for
/// the tensor with two rates; a parameter by 4·2⁻²⁴ more. Decay multiplies errors by less than 2.
constexpr double kTolerance = 2 * kSteps * (2 * kRate * 480 + 4) * 0x1p-24;

struct Case {
  std::string name;
  OptimizerOptions options;
};

std::vector<Case> cases() {
  OptimizerOptions plain{.kind = OptimizerKind::kAdam};
  OptimizerOptions decaying = plain;
  decaying.weight_decay = 0.1;
  OptimizerOptions other = decaying;
  other.beta1 = 0.8;
  other.beta2 = 0.99;
  other.epsilon = 0.01;
  std::vector<Case> all{{"adam", plain}, {"adam with decay", decaying}, {"adam of other moments", other}};
  for (std::size_t i = 0; i < 3; ++i) {
    Case decoupled = all[i];
    decoupled.name += ", decoupled";
    decoupled.options.kind = OptimizerKind::kAdamw;
    all.push_back(decoupled);
  }
  return all;
}

TEST(Adam, MatchesTheReferenceOver50Steps) {
  for (const Case& each : cases()) {
    std::vector<std::vector<double>> expected = first_parameters();
    std::vector<reference::Moment> means(kTensors.size());
    std::vector<reference::Moment> squares(kTensors.size());
    for (int step = 0; step < kSteps; ++step) {
      const auto of_step = gradients(step);
      for (std::size_t i = 0; i < kTensors.size(); ++i)
        reference::adam_step({.rate = kRate * kTensors[i].rate_factor,
                              .beta1 = each.options.beta1,
                              .beta2 = each.options.beta2,
                              .epsilon = each.options.epsilon.value_or(1e-8),
                              .weight_decay = each.options.weight_decay * kTensors[i].decay_factor,
                              .is_decoupled = each.options.kind == OptimizerKind::kAdamw},
                             step + 1, of_step[i], expected[i], means[i], squares[i]);
    }
    EXPECT_LT(distance(run(*make_optimizer(each.options)), expected), kTolerance) << each.name;
  }
}

TEST(Adam, GivesTheSameBitsInAnyStretches) {
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.name);
    expect_same_bits_in_any_stretches(*make_optimizer(each.options));
  }
}

TEST(Adam, DecoupledAndNotAreTheSameWithoutDecay) {
  EXPECT_EQ(run(*make_optimizer({.kind = OptimizerKind::kAdam})),
            run(*make_optimizer({.kind = OptimizerKind::kAdamw})));
  OptimizerOptions options{.kind = OptimizerKind::kAdam, .weight_decay = 0.1};
  const Trained l2 = run(*make_optimizer(options));
  options.kind = OptimizerKind::kAdamw;
  EXPECT_GT(distance(l2, first_parameters()), 0.1);
  EXPECT_NE(run(*make_optimizer(options)), l2);
}

// By hand: the first step is the rate times the sign of the gradient, whatever the gradient's size.
TEST(Adam, TheFirstStepIsTheRate) {
  for (const float gradient : {1e-3F, -100.0F}) {
    float parameter = 1;
    float mean = 0;
    float square = 0;
    const std::array<float*, 2> states{&mean, &square};
    make_adam({.kind = OptimizerKind::kAdam, .epsilon = 1e-12})
        ->update({.learning_rate = 0.25},
                 {.size = 1, .gradient_sum = &gradient, .parameters = &parameter, .states = states}, {});
    EXPECT_NEAR(static_cast<double>(parameter), gradient > 0 ? 0.75 : 1.25, 0x1p-20);
  }
}

TEST(Adam, NamesItsStates) {
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kAdamw, OptimizerKind::kLamb})
    EXPECT_EQ(make_optimizer({.kind = kind})->states(), (std::vector<std::string_view>{"mean", "square"}));
}

}  // namespace
}  // namespace convoy::optim::adam_test
