#include "convoy/nn/loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>

#include "convoy/core/error.hpp"
#include "reference/loss.hpp"
#include "unit/layers/layer_run.hpp"

namespace convoy::nn {
namespace {

constexpr std::int64_t kClasses = 4;

struct Evaluated {
  LossResult result;
  Numbers diff;
  Numbers idle;  ///< diffs of the idle lanes
};

template <class Real>
Evaluated evaluate(const LossFunction& loss, const Numbers& outputs, const std::vector<std::int64_t>& labels,
                   std::int64_t classes = kClasses) {
  const auto samples = static_cast<std::int64_t>(labels.size());
  const auto z = test::to_lanes<Real>(outputs, samples, classes, test::IdleLanes::kFirstSample);
  test::Guarded<Real> diff(z.size());
  Evaluated got;
  got.result = evaluate_loss(loss, classes, std::span(labels), z.data(), diff.data());
  got.diff = test::from_lanes(diff.data(), samples, classes);
  for (std::int64_t n = samples; n < lane_blocks(samples) * kLanes; ++n)
    for (std::int64_t k = 0; k < classes; ++k)
      got.idle.push_back(static_cast<double>(diff.data()[test::lane_index(classes, n, k)]));
  EXPECT_TRUE(diff.guards_untouched());
  return got;
}

std::vector<std::int64_t> labels_of(std::int64_t samples) {
  std::vector<std::int64_t> labels;
  for (std::int64_t n = 0; n < samples; ++n) labels.push_back(n * 3 % kClasses);
  return labels;
}

/// A loss and its textbook version for outputs z and one-hot y of class `label`.
struct Textbook {
  std::string name;
  LossFunction loss;
  std::function<reference::Loss(const Numbers& z, const Numbers& y)> of;
};

void PrintTo(const Textbook& textbook, std::ostream* out) {
  *out << textbook.name;
}

LossFunction huber(double delta) {
  LossFunction loss(LossKind::kHuber);
  loss.huber_delta = delta;
  return loss;
}

LossFunction smoothed(double smoothing) {
  LossFunction loss(LossKind::kSoftmaxCrossEntropy);
  loss.label_smoothing = smoothing;
  return loss;
}

LossFunction focal(LossKind kind, double gamma) {
  LossFunction loss(kind);
  loss.focal_gamma = gamma;
  return loss;
}

LossFunction weighted(LossFunction loss, std::vector<double> weights) {
  loss.class_weights = std::move(weights);
  return loss;
}

const std::vector<double> kWeights{0.5, 0, 3, 1.25};

/// `of`, times the weight of the class that y names.
auto times_weight(std::function<reference::Loss(const Numbers&, const Numbers&)> of) {
  return [of = std::move(of)](const Numbers& z, const Numbers& y) {
    reference::Loss loss = of(z, y);
    const double weight = std::inner_product(y.begin(), y.end(), kWeights.begin(), 0.);
    loss.value *= weight;
    for (double& each : loss.diff) each *= weight;
    return loss;
  };
}

reference::Loss smoothed_by_hand(const Numbers& z, const Numbers& y) {
  Numbers smooth;
  for (const double each : y) smooth.push_back(0.9 * each + 0.1 / kClasses);
  return reference::softmax_cross_entropy(z, smooth);
}

std::vector<Textbook> textbooks() {
  return {
      {"quadratic", LossKind::kQuadratic, reference::quadratic},
      {"absolute", LossKind::kAbsolute, reference::absolute},
      {"huber", huber(1.5), [](const auto& z, const auto& y) { return reference::huber(z, y, 1.5); }},
      {"sigmoid", LossKind::kSigmoidCrossEntropy, reference::sigmoid_cross_entropy},
      {"softmax", LossKind::kSoftmaxCrossEntropy, reference::softmax_cross_entropy},
      {"smoothed", smoothed(0.1), smoothed_by_hand},
      {"focal_softmax", focal(LossKind::kSoftmaxCrossEntropy, 2),
       [](const auto& z, const auto& y) { return reference::focal_softmax(z, y, 2); }},
      {"focal_softmax_below_one", focal(LossKind::kSoftmaxCrossEntropy, 0.5),
       [](const auto& z, const auto& y) { return reference::focal_softmax(z, y, 0.5); }},
      {"focal_sigmoid", focal(LossKind::kSigmoidCrossEntropy, 1.5),
       [](const auto& z, const auto& y) { return reference::focal_sigmoid(z, y, 1.5); }},
      {"weighted_softmax", weighted(smoothed(0.1), kWeights), times_weight(smoothed_by_hand)},
      {"weighted_quadratic", weighted(LossKind::kQuadratic, kWeights), times_weight(reference::quadratic)}};
}

struct EveryLoss : testing::TestWithParam<std::tuple<Textbook, std::int64_t>> {
  void SetUp() override {
    textbook = std::get<0>(GetParam());
    loss = textbook.loss;
    samples = std::get<1>(GetParam());
    labels = labels_of(samples);
    outputs = spread_numbers(samples * kClasses, 1);
    for (double& value : outputs) value *= 2.9;  // none within 1e-4 of 0 or 1, the kinks of absolute
  }
  Textbook textbook;
  LossFunction loss;
  std::int64_t samples = 0;
  std::vector<std::int64_t> labels;
  Numbers outputs;
};

INSTANTIATE_TEST_SUITE_P(All, EveryLoss,
                         testing::Combine(testing::ValuesIn(textbooks()), testing::Values(1, 5, 16, 17)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + std::to_string(std::get<1>(test.param));
                         });

// As in evaluation. With clang's undefined-behaviour sanitizer also a check for arithmetic on null pointers.
TEST_P(EveryLoss, WithoutADiffIsTheSame) {
  const auto z = test::to_lanes<float>(outputs, samples, kClasses, test::IdleLanes::kFirstSample);
  const LossResult got = evaluate_loss<float>(loss, kClasses, std::span(labels), z.data(), nullptr);
  const LossResult expected = evaluate<float>(loss, outputs, labels).result;
  EXPECT_EQ(got.loss_sum, expected.loss_sum);
  EXPECT_EQ(got.correct, expected.correct);
}

// h = 1e-5: truncation below h² = 1e-10, rounding u·C/h below 1e-9 for C ≤ 100.
TEST_P(EveryLoss, DiffIsTheNumericGradientAndIdleLanesAreZero) {
  constexpr double kStep = 1e-5;
  const Evaluated got = evaluate<double>(loss, outputs, labels);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Numbers moved = outputs;
    moved[i] += kStep;
    const double above = evaluate<double>(loss, moved, labels).result.loss_sum;
    moved[i] -= 2 * kStep;
    const double below = evaluate<double>(loss, moved, labels).result.loss_sum;
    ASSERT_NEAR(got.diff[i], (above - below) / (2 * kStep), 1e-8) << i;
  }
  for (const double value : got.idle) EXPECT_EQ(value, 0);
}

// A few roundings of numbers of order 10 per sample.
TEST_P(EveryLoss, ValueAndDiffAreTheTextbooks) {
  const Evaluated got = evaluate<double>(loss, outputs, labels);
  double sum = 0;
  for (std::int64_t n = 0; n < samples; ++n) {
    const Numbers z(outputs.begin() + n * kClasses, outputs.begin() + (n + 1) * kClasses);
    Numbers y(kClasses);
    y[static_cast<std::size_t>(labels[static_cast<std::size_t>(n)])] = 1;
    const reference::Loss want = textbook.of(z, y);
    sum += want.value;
    for (std::int64_t k = 0; k < kClasses; ++k)
      ASSERT_NEAR(got.diff[static_cast<std::size_t>(n * kClasses + k)],
                  want.diff[static_cast<std::size_t>(k)], 1e-14);
  }
  EXPECT_NEAR(got.result.loss_sum, sum, 1e-14 * 10 * static_cast<double>(samples));
}

TEST_P(EveryLoss, FloatDiffIsTheDoubleOneRounded) {
  const Evaluated exact = evaluate<double>(loss, outputs, labels);
  const Evaluated rough = evaluate<float>(loss, outputs, labels);
  // The input is rounded to float (3·2^-24), and so are the diffs (4·2^-24); times the largest weight.
  const double weight = loss.class_weights.empty() ? 1 : *std::ranges::max_element(loss.class_weights);
  for (std::size_t i = 0; i < exact.diff.size(); ++i)
    EXPECT_NEAR(rough.diff[i], exact.diff[i], weight * 7 * 0x1p-24);
}

TEST(Loss, QuadraticIsHalfTheSquaredDistanceByHand) {
  const Evaluated got = evaluate<double>(LossKind::kQuadratic, {1, 2, 3, 4}, {2});
  EXPECT_EQ(got.result.loss_sum, 0.5 * (1 + 4 + 4 + 16));
  EXPECT_EQ(got.diff, (Numbers{1, 2, 2, 4}));
}

TEST(Loss, AbsoluteIsTheDistanceOfEachOutputByHand) {
  const Evaluated got = evaluate<double>(LossKind::kAbsolute, {1, 0, 3, -4}, {2});
  EXPECT_EQ(got.result.loss_sum, 1 + 0 + 2 + 4);
  EXPECT_EQ(got.diff, (Numbers{1, 0, 1, -1}));
}

TEST(Loss, HuberIsAParabolaUpToDeltaAndALineBeyondByHand) {
  // Errors 0.5, −2, 2 and 3 with δ = 2: the parabola still holds at δ.
  const Evaluated got = evaluate<double>(huber(2), {0.5, -2, 3, 3}, {2});
  EXPECT_EQ(got.result.loss_sum, 0.125 + 2 + 2 + 2 * (3 - 1));
  EXPECT_EQ(got.diff, (Numbers{0.5, -2, 2, 2}));
}

TEST(Loss, LabelSmoothingOfEqualOutputsByHand) {
  // p = 1/4 each; the smoothed label is 0.925, and 0.025 three times.
  const Evaluated got = evaluate<double>(smoothed(0.1), {0, 0, 0, 0}, {1});
  EXPECT_NEAR(got.result.loss_sum, std::log(4.), 1e-15);
  EXPECT_NEAR(got.diff[0], 0.25 - 0.025, 1e-15);
  EXPECT_NEAR(got.diff[1], 0.25 - 0.925, 1e-15);
}

TEST(Loss, FocalLossOfEqualOutputsByHand) {
  // p = 1/4, 1 − p = 3/4: (3/4)² ln 4.
  EXPECT_NEAR(evaluate<double>(focal(LossKind::kSoftmaxCrossEntropy, 2), {0, 0, 0, 0}, {1}).result.loss_sum,
              9. / 16 * std::log(4.), 1e-15);
  // p = 1/2 of four outputs: (1/2)² ln 2 each.
  EXPECT_NEAR(evaluate<double>(focal(LossKind::kSigmoidCrossEntropy, 2), {0, 0, 0, 0}, {1}).result.loss_sum,
              std::log(2.), 1e-15);
}

// For outputs that are sure: p → 1, where C ≈ q^(γ+1) and ∂C/∂z_label ≈ −(γ+1) q^(γ+1) with q = 1 − p =
// e^−40, and p → 0, where C ≈ 40 and ∂C/∂z_label ≈ −1. 1 − p formed by subtraction would be 0 or off by
// 1e-16.
TEST(Loss, FocalLossOfSureOutputsIsAccurate) {
  for (const LossKind kind : {LossKind::kSoftmaxCrossEntropy, LossKind::kSigmoidCrossEntropy}) {
    for (const double gamma : {0.5, 1., 2., 5.}) {
      const double q = std::exp(-40.);
      constexpr double kFar = -1e6;  // no part of either loss
      const bool is_softmax = kind == LossKind::kSoftmaxCrossEntropy;
      const Numbers sure{40, is_softmax ? 0 : kFar, kFar, kFar};
      const Evaluated right = evaluate<double>(focal(kind, gamma), sure, {0});
      EXPECT_NEAR(right.result.loss_sum / std::pow(q, gamma + 1), 1, 1e-12) << gamma;
      EXPECT_NEAR(right.diff[0] / std::pow(q, gamma + 1), -(gamma + 1), 1e-12 * (gamma + 1)) << gamma;
      Numbers wrong = sure;
      wrong[0] = -40;
      const Evaluated lost = evaluate<double>(focal(kind, gamma), wrong, {0});
      EXPECT_NEAR(lost.result.loss_sum, 40, 1e-12) << gamma;
      EXPECT_NEAR(lost.diff[0], -1, 1e-12) << gamma;
    }
  }
}

TEST(Loss, FocalLossOfHugeOutputsIsFinite) {
  const Numbers huge{1000, -1000, 0, 999};
  for (const LossKind kind : {LossKind::kSoftmaxCrossEntropy, LossKind::kSigmoidCrossEntropy}) {
    for (const std::int64_t label : {0, 1, 2, 3}) {
      const Evaluated got = evaluate<double>(focal(kind, 0.5), huge, {label});
      EXPECT_TRUE(std::isfinite(got.result.loss_sum));
      for (const double each : got.diff) EXPECT_TRUE(std::isfinite(each));
    }
  }
  // Alone with all of the probability, to the last bit.
  const Evaluated alone = evaluate<double>(focal(LossKind::kSoftmaxCrossEntropy, 2), {1000, 0, 0, 0}, {0});
  EXPECT_EQ(alone.result.loss_sum, 0);
  EXPECT_EQ(alone.diff, (Numbers{0, 0, 0, 0}));
}

TEST(Loss, FocalLossOfANotANumberIsNone) {
  const Numbers outputs{0, std::nan(""), 0, 0};
  for (const LossKind kind : {LossKind::kSoftmaxCrossEntropy, LossKind::kSigmoidCrossEntropy})
    EXPECT_TRUE(std::isnan(evaluate<double>(focal(kind, 2), outputs, {0}).result.loss_sum));
}

TEST(Loss, PlainOneHasNeitherSmoothingNorFocalFactorNorWeights) {
  EXPECT_EQ(weighted(smoothed(0.1), kWeights).plain(), LossFunction(LossKind::kSoftmaxCrossEntropy));
  EXPECT_EQ(focal(LossKind::kSigmoidCrossEntropy, 2).plain(), LossFunction(LossKind::kSigmoidCrossEntropy));
  EXPECT_EQ(huber(0.5).plain(), huber(0.5));
}

TEST(Loss, BalancedWeightsAreByFrequencyAndSumToTheSamples) {
  LossFunction loss(LossKind::kSoftmaxCrossEntropy);
  const std::vector<std::int64_t> labels{0, 0, 0, 2, 0, 0, 2, 3};
  EXPECT_EQ(loss.balanced_for(labels, 4), loss);
  loss.balances_classes = true;
  // N = 8; three of the four classes occur, 5, 2 and once.
  const std::vector<double> weights = loss.balanced_for(labels, 4).class_weights;
  EXPECT_EQ(weights, (std::vector<double>{8. / 15, 0, 8. / 6, 8. / 3}));
  EXPECT_NEAR(5 * weights[0] + 2 * weights[2] + weights[3], 8, 1e-14);
}

TEST(Loss, DescribesItsParametersAndOfManyWeightsTheRange) {
  EXPECT_EQ(describe(LossKind::kQuadratic), "quadratic");
  EXPECT_EQ(describe(huber(0.5)), "huber, delta 0.5");
  EXPECT_EQ(describe(weighted(smoothed(0.25), {1, 0.5})),
            "softmax-cross-entropy, label smoothing 0.25, class weights 1 0.5");
  std::vector<double> many(12, 1);
  many.back() = 7;
  EXPECT_EQ(describe(weighted(focal(LossKind::kSigmoidCrossEntropy, 2), many)),
            "sigmoid-cross-entropy, focal gamma 2, class weights 1 1 1 1 1 1 1 1 1 1 … (1 to 7)");
}

TEST(Loss, OnesThatTakeTargetsAreThoseOfTheMessage) {
  std::string names;
  for (std::size_t i = 0; i < loss_names().size(); ++i) {
    const auto kind = static_cast<LossKind>(i);
    const std::string name(loss_names()[i]);
    if (takes_targets(kind))
      names += (names.empty() ? "" : kind == LossKind::kHuber ? " or " : ", ") + std::string(name);
  }
  EXPECT_EQ(names, kLossesOfTargets);
}

TEST(Loss, CrossEntropiesOfEqualOutputsByHand) {
  EXPECT_NEAR(evaluate<double>(LossKind::kSoftmaxCrossEntropy, {0, 0, 0, 0}, {1}).result.loss_sum,
              std::log(4.), 1e-15);
  EXPECT_NEAR(evaluate<double>(LossKind::kSigmoidCrossEntropy, {0, 0, 0, 0}, {1}).result.loss_sum,
              4 * std::log(2.), 1e-15);
}

TEST(Loss, CrossEntropiesOfHugeOutputsAreFinite) {
  const Numbers huge{1000, -1000, 0, 999};
  const Evaluated softmax = evaluate<double>(LossKind::kSoftmaxCrossEntropy, huge, {1});
  EXPECT_NEAR(softmax.result.loss_sum, 2000 + std::log1p(std::exp(-1.)), 1e-10);
  const Evaluated sigmoid = evaluate<double>(LossKind::kSigmoidCrossEntropy, huge, {1});
  EXPECT_NEAR(sigmoid.result.loss_sum, 1000 + 1000 + std::log(2.) + 999, 1e-10);
}

TEST(Loss, CountsTheFirstOfEqualOutputsAsTheAnswer) {
  EXPECT_EQ(evaluate<float>(LossKind::kQuadratic, {1, 1, 0, 0}, {0}).result.correct, 1);
  EXPECT_EQ(evaluate<float>(LossKind::kQuadratic, {1, 1, 0, 0}, {1}).result.correct, 0);
}

TEST(Loss, ANotANumberIsNeverCorrect) {
  const Evaluated got = evaluate<float>(LossKind::kQuadratic, {9, std::nan(""), 0, 0, 0, 0}, {0}, 6);
  EXPECT_EQ(got.result.correct, 0);
  EXPECT_EQ(got.result.correct_top5, 0);
}

TEST(Loss, TopFiveHoldsTheFifthAndNotTheSixth) {
  const Numbers falling{6, 5, 4, 3, 2, 1};
  EXPECT_EQ(evaluate<float>(LossKind::kQuadratic, falling, {4}, 6).result.correct_top5, 1);
  EXPECT_EQ(evaluate<float>(LossKind::kQuadratic, falling, {5}, 6).result.correct_top5, 0);
}

TEST(QuadraticLoss, OfTargetsIsHalfTheSquaredErrorWorkedByHand) {
  // Two samples with two outputs; the other lanes are idle.
  std::vector<float> outputs(2 * kLanes, 9);
  outputs[0] = 1;       // sample 0, output 0
  outputs[kLanes] = 3;  // output 1
  outputs[1] = -1;      // sample 1
  outputs[kLanes + 1] = 0;
  const std::vector<float> targets{0.5, 1, -1, 2};
  std::vector<float> diff(outputs.size(), 7);
  const LossResult result =
      evaluate_loss<float>(LossKind::kQuadratic, 2, targets, 2, outputs.data(), diff.data());
  EXPECT_EQ(result.loss_sum, 0.5 * (0.25 + 4) + 0.5 * (0 + 4));
  EXPECT_EQ(result.squared_error_sum, 2 * result.loss_sum);
  EXPECT_EQ(result.correct, 0);
  EXPECT_EQ((std::vector<float>{diff[0], diff[kLanes], diff[1], diff[kLanes + 1]}),
            (std::vector<float>{0.5, 2, 0, -2}));
  EXPECT_EQ(diff[2], 0);
  EXPECT_EQ(diff[2 * kLanes - 1], 0);
}

TEST(AbsoluteLoss, OfTargetsAlsoTellsTheSquaredErrorByHand) {
  std::vector<float> outputs(2 * kLanes, 9);
  outputs[0] = 1;
  outputs[kLanes] = 3;
  const std::vector<float> targets{0.5, 5};
  std::vector<float> diff(outputs.size(), 7);
  const LossResult result =
      evaluate_loss<float>(LossKind::kAbsolute, 2, targets, 1, outputs.data(), diff.data());
  EXPECT_EQ(result.loss_sum, 0.5 + 2);
  EXPECT_EQ(result.squared_error_sum, 0.25 + 4);
  EXPECT_EQ(diff[0], 1);
  EXPECT_EQ(diff[kLanes], -1);
  EXPECT_EQ(diff[1], 0);
}

TEST(LossResult, SumsEveryMember) {
  const LossResult sum = LossResult{1, 2, 3, 4} + LossResult{10, 20, 30, 40};
  EXPECT_EQ(sum.loss_sum, 11);
  EXPECT_EQ(sum.squared_error_sum, 22);
  EXPECT_EQ(sum.correct, 33);
  EXPECT_EQ(sum.correct_top5, 44);
}

}  // namespace
}  // namespace convoy::nn
