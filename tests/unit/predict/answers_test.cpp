// Tests the meaning of outputs by hand-worked examples.

#include "convoy/predict/answers.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy::predict {
namespace {

TEST(AnswerOf, IsTheFirstOfTheLargestOutputs) {
  EXPECT_EQ(answer_of(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(answer_of(std::vector<float>{-1, std::nanf(""), 0}), 2);
}

TEST(ProbabilitiesOf, AreTheSoftmaxOrEachSigmoid) {
  const std::vector<double> softmax =
      probabilities_of(nn::LossKind::kSoftmaxCrossEntropy, std::vector<float>{0, 1});
  EXPECT_NEAR(softmax[0], 1 / (1 + std::exp(1.0)), 1e-15);
  EXPECT_NEAR(softmax[0] + softmax[1], 1, 1e-15);
  // Large outputs neither overflow nor vanish.
  EXPECT_EQ(probabilities_of(nn::LossKind::kSoftmaxCrossEntropy, std::vector<float>{1000, 1000})[1], 0.5);
  const std::vector<double> sigmoids =
      probabilities_of(nn::LossKind::kSigmoidCrossEntropy, std::vector<float>{0, 2});
  EXPECT_EQ(sigmoids[0], 0.5);
  EXPECT_NEAR(sigmoids[1], 1 / (1 + std::exp(-2.0)), 1e-15);
  EXPECT_TRUE(probabilities_of(nn::LossKind::kQuadratic, std::vector<float>{1, 2}).empty());
}

}  // namespace
}  // namespace convoy::predict
