#include "convoy/optim/sgd.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/core/random.hpp"
#include "reference/sgd.hpp"

namespace convoy::optim {
namespace {

// Halves and quarters throughout: every number below is exact in float.
struct HandCase {
  float gradient[2] = {1.0F, -2.0F};
  float parameters[2] = {4.0F, 8.0F};
  float velocity[2] = {99.0F, 99.0F};  // what is there before the first step must not matter

  void step(const SgdOptions& options, bool first) {
    sgd_step(options, {{{0, 2}, true}}, 0.5F, first, {0, 2}, gradient, 1.0F, parameters, velocity);
  }
};

TEST(Sgd, FirstStepTakesTheGradientAsVelocity) {
  HandCase it;
  it.step({.momentum = 0.5}, true);
  EXPECT_EQ(it.velocity[0], 1.0F);
  EXPECT_EQ(it.velocity[1], -2.0F);
  EXPECT_EQ(it.parameters[0], 3.5F);  // 4 − 0.5·1
  EXPECT_EQ(it.parameters[1], 9.0F);  // 8 + 0.5·2
}

TEST(Sgd, LaterStepsAddMomentumWithoutDampening) {
  HandCase it;
  it.step({.momentum = 0.5}, true);
  it.step({.momentum = 0.5}, false);
  EXPECT_EQ(it.velocity[0], 1.5F);     // 0.5·1 + 1
  EXPECT_EQ(it.parameters[0], 2.75F);  // 3.5 − 0.5·1.5
}

TEST(Sgd, NesterovLooksAheadByTheNewVelocity) {
  HandCase it;
  it.step({.momentum = 0.5, .nesterov = true}, true);
  EXPECT_EQ(it.parameters[0], 3.25F);  // 4 − 0.5·(1 + 0.5·1)
  it.step({.momentum = 0.5, .nesterov = true}, false);
  EXPECT_EQ(it.velocity[0], 1.5F);
  EXPECT_EQ(it.parameters[0], 2.375F);  // 3.25 − 0.5·(1 + 0.5·1.5)
}

TEST(Sgd, DecayIsAddedToTheGradientWhereTheRangeDecaysAlone) {
  float gradient[3] = {1.0F, 1.0F, 1.0F};
  float parameters[3] = {4.0F, 4.0F, 4.0F};
  float velocity[3] = {};
  const std::vector<ParameterRange> ranges{{{0, 1}, true}, {{1, 2}, false}, {{2, 3}, true}};
  sgd_step({.momentum = 0.5, .weight_decay = 0.25}, ranges, 0.5F, true, {0, 3}, gradient, 1.0F, parameters,
           velocity);
  EXPECT_EQ(velocity[0], 2.0F);  // 1 + 0.25·4
  EXPECT_EQ(velocity[1], 1.0F);
  EXPECT_EQ(parameters[0], 3.0F);
  EXPECT_EQ(parameters[1], 3.5F);
  EXPECT_EQ(parameters[2], 3.0F);
}

TEST(Sgd, WithoutMomentumNeedsNoVelocity) {
  HandCase it;
  sgd_step({}, {{{0, 2}, true}}, 0.5F, false, {0, 2}, it.gradient, 1.0F, it.parameters, nullptr);
  EXPECT_EQ(it.parameters[0], 3.5F);
  EXPECT_EQ(it.parameters[1], 9.0F);
}

TEST(Sgd, DividesTheSumByTheSamples) {
  HandCase it;
  sgd_step({}, {{{0, 2}, true}}, 0.5F, false, {0, 2}, it.gradient, 4.0F, it.parameters, nullptr);
  EXPECT_EQ(it.parameters[0], 3.875F);  // 4 − 0.5·1/4
  EXPECT_EQ(it.parameters[1], 8.25F);
}

struct Outcome {
  std::vector<float> parameters;
  std::vector<float> velocity;
};

constexpr std::int64_t kSize = 1001;  // no multiple of a vector or of a team
constexpr int kSteps = 20;
constexpr double kRate = 0.05;
constexpr SgdOptions kAll{.momentum = 0.9, .nesterov = true, .weight_decay = 0.01};

float random_value(RandomPurpose purpose, std::uint64_t step, std::int64_t i) {
  return static_cast<float>(
      RandomStream(random_key(1, purpose, step, static_cast<std::uint64_t>(i))).uniform(-1, 1));
}

/// In stretches of `stretch` elements, as threads and ranks cut it.
Outcome run(std::int64_t stretch) {
  Outcome it{std::vector<float>(kSize), std::vector<float>(kSize)};
  for (std::int64_t i = 0; i < kSize; ++i) it.parameters[i] = random_value(RandomPurpose::kTest, 0, i);
  std::vector<float> gradient(kSize);
  for (int step = 0; step < kSteps; ++step) {
    for (std::int64_t i = 0; i < kSize; ++i)
      gradient[i] = random_value(RandomPurpose::kTest, static_cast<std::uint64_t>(step) + 1, i);
    for (std::int64_t begin = 0; begin < kSize; begin += stretch)
      sgd_step(kAll, {{{0, 500}, true}, {{500, kSize}, true}}, static_cast<float>(kRate), step == 0,
               {begin, std::min(begin + stretch, kSize)}, gradient.data() + begin, 1.0F, it.parameters.data(),
               it.velocity.data() + begin);
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
  // constants), each by 2⁻²⁴ of such a number, and an error of v lives on for 1/(1 − μ) = 10 steps.
  const double tolerance = kSteps * 8 * 10 * 12 * 0x1p-24;
  for (std::int64_t i = 0; i < kSize; ++i) {
    ASSERT_NEAR(static_cast<double>(product.parameters[i]), parameters[i], tolerance) << i;
    ASSERT_NEAR(static_cast<double>(product.velocity[i]), velocity[i], tolerance) << i;
  }
}

}  // namespace
}  // namespace convoy::optim
