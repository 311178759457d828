#include <gtest/gtest.h>

#include "optimizer_run.hpp"
#include "reference/optimizers.hpp"
#include "reference/sgd.hpp"

namespace convoy::optim::lookahead_test {
namespace {

using namespace test;

/// As in sgd_test.cpp: |v| < 12 and |p| < 12, 8 roundings of a step and 3 of lookahead, which last for 10
/// steps.
constexpr double kTolerance = kSteps * 11 * 10 * 12 * 2 * kRate * 0x1p-24 + kSteps * 3 * 12 * 0x1p-24;

OptimizerOptions options_of(LookaheadSchedule schedule, std::int64_t steps) {
  return {.momentum = 0.9,
          .weight_decay = 0.1,
          .lookahead_steps = steps,
          .lookahead_alpha = 0.3,
          .lookahead_schedule = schedule};
}

TEST(Lookahead, MatchesTheReferenceOver50StepsInAnyStretches) {
  for (const LookaheadSchedule schedule : {LookaheadSchedule::kConstant, LookaheadSchedule::kCubic}) {
    const bool is_cubic = schedule == LookaheadSchedule::kCubic;
    for (const int period : {1, 5, 7}) {  // 7: no update of the slow weights at the last step
      std::vector<std::vector<double>> expected = first_parameters();
      std::vector<std::vector<double>> slow = expected;
      std::vector<std::vector<double>> velocities(kTensors.size());
      for (int step = 1; step <= kSteps; ++step) {
        const auto of_step = gradients(step - 1);
        for (std::size_t i = 0; i < kTensors.size(); ++i) {
          reference::sgd_step({.rate = kRate * kTensors[i].rate_factor,
                               .momentum = 0.9,
                               .weight_decay = 0.1 * kTensors[i].decay_factor},
                              of_step[i], expected[i], velocities[i]);
          if (is_cubic)
            reference::cubic_lookahead_step(
                {.step = step, .steps = kSteps, .period = period, .last_decay = 0.7}, expected[i], slow[i]);
          else
            reference::lookahead_step({.step = step, .period = period, .alpha = 0.3}, expected[i], slow[i]);
        }
      }
      const std::unique_ptr<const Optimizer> optimizer = make_optimizer(options_of(schedule, period));
      const Trained trained = run(*optimizer);
      SCOPED_TRACE(std::to_string(period) + (is_cubic ? ", cubic" : ", constant"));
      EXPECT_LT(distance(trained, expected), kTolerance);
      for (std::size_t i = 0; i < kTensors.size(); ++i)
        EXPECT_EQ(trained.states[i].back() == trained.parameters[i], is_cubic || kSteps % period == 0);
      expect_same_bits_in_any_stretches(*optimizer);
    }
  }
}

TEST(Lookahead, IsAroundEveryOptimizerAndItsClipping) {
  for (std::size_t kind = 0; kind < kOptimizers.size(); ++kind) {
    OptimizerOptions options = options_of(LookaheadSchedule::kConstant, 5);
    options.kind = static_cast<OptimizerKind>(kind);
    options.clip_norm = 3;
    options.clip_value = 0.4;
    options.trust_coefficient = 0.5;
    const std::unique_ptr<const Optimizer> optimizer = make_optimizer(options);
    SCOPED_TRACE(kOptimizers[kind].name);
    EXPECT_EQ(optimizer->states().back(), "slow");
    EXPECT_LE(optimizer->states().size(), kMostStates);
    expect_same_bits_in_any_stretches(*optimizer);
    options.lookahead_steps = 0;
    EXPECT_EQ(run(*make_optimizer(options), 1000, 4).parameters, run(*optimizer, 1000, 4).parameters);
    EXPECT_NE(run(*make_optimizer(options), 1000, 5).parameters, run(*optimizer, 1000, 5).parameters);
  }
}

}  // namespace
}  // namespace convoy::optim::lookahead_test
