#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "convoy/core/random.hpp"
#include "convoy/optim/optimizers.hpp"
#include "reference/sgd.hpp"

namespace convoy::optim {
namespace {

/// One update of `size` elements; all or none of them decay. `velocity` may be null.
void sgd_step(const OptimizerOptions& options, bool decays, std::int64_t step, std::int64_t size,
              const float* sum, float samples, float learning_rate, float* parameters, float* velocity) {
  const std::array states{velocity};
  make_sgd(options)->update({.step = step, .learning_rate = learning_rate, .samples = samples},
                            {.decay_factor = decays ? 1.0 : 0.0,
                             .size = size,
                             .gradient_sum = sum,
                             .parameters = parameters,
                             .states = std::span(states).first(velocity != nullptr ? 1 : 0)},
                            {});
}

// All numbers below are halves and quarters, exact in float.
struct HandCase {
  float gradient[2] = {1.0F, -2.0F};
  float parameters[2] = {4.0F, 8.0F};
  float velocity[2] = {99.0F, 99.0F};  // the old value must not matter in the first step

  void step(const OptimizerOptions& options, std::int64_t number) {
    sgd_step(options, true, number, 2, gradient, 1.0F, 0.5F, parameters, velocity);
  }
};

TEST(Sgd, FirstStepTakesTheGradientAsVelocity) {
  HandCase it;
  it.step({.momentum = 0.5}, 0);
  EXPECT_EQ(it.velocity[0], 1.0F);
  EXPECT_EQ(it.velocity[1], -2.0F);
  EXPECT_EQ(it.parameters[0], 3.5F);  // 4 − 0.5·1
  EXPECT_EQ(it.parameters[1], 9.0F);  // 8 + 0.5·2
}

TEST(Sgd, LaterStepsAddMomentumWithoutDampening) {
  HandCase it;
  it.step({.momentum = 0.5}, 0);
  it.step({.momentum = 0.5}, 1);
  EXPECT_EQ(it.velocity[0], 1.5F);     // 0.5·1 + 1
  EXPECT_EQ(it.parameters[0], 2.75F);  // 3.5 − 0.5·1.5
}

TEST(Sgd, NesterovLooksAheadByTheNewVelocity) {
  HandCase it;
  it.step({.momentum = 0.5, .nesterov = true}, 0);
  EXPECT_EQ(it.parameters[0], 3.25F);  // 4 − 0.5·(1 + 0.5·1)
  it.step({.momentum = 0.5, .nesterov = true}, 1);
  EXPECT_EQ(it.velocity[0], 1.5F);
  EXPECT_EQ(it.parameters[0], 2.375F);  // 3.25 − 0.5·(1 + 0.5·1.5)
}

TEST(Sgd, DecayIsAddedToTheGradientOfWhatDecaysAlone) {
  for (const bool decays : {true, false}) {
    HandCase it;
    sgd_step({.momentum = 0.5, .weight_decay = 0.25}, decays, 0, 2, it.gradient, 1.0F, 0.5F, it.parameters,
             it.velocity);
    EXPECT_EQ(it.velocity[0], decays ? 2.0F : 1.0F);  // 1 + 0.25·4
    EXPECT_EQ(it.parameters[0], decays ? 3.0F : 3.5F);
  }
}

TEST(Sgd, WithoutMomentumNeedsNoState) {
  EXPECT_TRUE(make_sgd({})->states().empty());
  EXPECT_EQ(make_sgd({.momentum = 0.5})->states(), std::vector<std::string_view>{"momentum"});
  HandCase it;
  sgd_step({}, true, 1, 2, it.gradient, 1.0F, 0.5F, it.parameters, nullptr);
  EXPECT_EQ(it.parameters[0], 3.5F);
  EXPECT_EQ(it.parameters[1], 9.0F);
}

TEST(Sgd, DividesTheSumByTheSamples) {
  HandCase it;
  sgd_step({}, true, 1, 2, it.gradient, 4.0F, 0.5F, it.parameters, nullptr);
  EXPECT_EQ(it.parameters[0], 3.875F);  // 4 − 0.5·1/4
  EXPECT_EQ(it.parameters[1], 8.25F);
}

struct Outcome {
  std::vector<float> parameters;
  std::vector<float> velocity;
};

constexpr std::int64_t kSize = 1001;  // not a multiple of a vector or a team
constexpr int kSteps = 20;
constexpr double kRate = 0.05;
constexpr OptimizerOptions kAll{.momentum = 0.9, .nesterov = true, .weight_decay = 0.01};

float random_value(RandomPurpose purpose, std::uint64_t step, std::int64_t i) {
  return static_cast<float>(
      RandomStream(random_key(1, purpose, step, static_cast<std::uint64_t>(i))).uniform(-1, 1));
}

/// Updates in stretches of `stretch` elements, as threads and ranks do.
Outcome run(std::int64_t stretch) {
  Outcome it{std::vector<float>(kSize), std::vector<float>(kSize)};
  for (std::int64_t i = 0; i < kSize; ++i) it.parameters[i] = random_value(RandomPurpose::kTest, 0, i);
  std::vector<float> gradient(kSize);
  for (int step = 0; step < kSteps; ++step) {
    for (std::int64_t i = 0; i < kSize; ++i)
      gradient[i] = random_value(RandomPurpose::kTest, static_cast<std::uint64_t>(step) + 1, i);
    for (std::int64_t begin = 0; begin < kSize; begin += stretch)
      sgd_step(kAll, true, step, std::min(stretch, kSize - begin), gradient.data() + begin, 1.0F,
               static_cast<float>(kRate), it.parameters.data() + begin, it.velocity.data() + begin);
  }
  return it;
}

TEST(Sgd, GivesTheSameBitsInAnyStretches) {
  const Outcome one = run(kSize);
  for (const std::int64_t stretch : {1, 3, 64, 499, 1000}) {
    const Outcome several = run(stretch);
    EXPECT_EQ(several.parameters, one.parameters) << stretch;
    EXPECT_EQ(several.velocity, one.velocity) << stretch;
  }
}

TEST(Sgd, MatchesTheReferenceOverManySteps) {
  const Outcome product = run(kSize);
  std::vector<double> parameters(kSize);
  for (std::int64_t i = 0; i < kSize; ++i)
    parameters[i] = static_cast<double>(random_value(RandomPurpose::kTest, 0, i));
  std::vector<double> velocity;
  std::vector<double> gradient(kSize);
  for (int step = 0; step < kSteps; ++step) {
    for (std::int64_t i = 0; i < kSize; ++i)
      gradient[i] =
          static_cast<double>(random_value(RandomPurpose::kTest, static_cast<std::uint64_t>(step) + 1, i));
    reference::sgd_step(
        {.rate = kRate, .momentum = kAll.momentum, .nesterov = true, .weight_decay = kAll.weight_decay},
        gradient, parameters, velocity);
  }
  // |v| ≤ 1/(1 − μ)·(1 + λ|p|) < 12 and |p| < 12 here. A step rounds at most 8 times (operations and
  // constants), each by 2⁻²⁴ of such a number, and an error of v lasts for 1/(1 − μ) = 10 steps.
  const double tolerance = kSteps * 8 * 10 * 12 * 0x1p-24;
  for (std::int64_t i = 0; i < kSize; ++i) {
    ASSERT_NEAR(static_cast<double>(product.parameters[i]), parameters[i], tolerance) << i;
    ASSERT_NEAR(static_cast<double>(product.velocity[i]), velocity[i], tolerance) << i;
  }
}

}  // namespace
}  // namespace convoy::optim
