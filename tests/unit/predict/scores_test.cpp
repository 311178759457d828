// Tests scores by hand-worked examples.

#include "convoy/predict/scores.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy::predict {
namespace {

TEST(Confusion, GivesPrecisionRecallAndF1OfEachClass) {
  Confusion confusion(3);
  // Labels 0 0 0 0 1 1, answers 0 0 0 1 1 0; class 2 never occurs.
  const int labels[] = {0, 0, 0, 0, 1, 1};
  const int answers[] = {0, 0, 0, 1, 1, 0};
  for (int i = 0; i < 6; ++i) confusion.add(labels[i], answers[i]);
  EXPECT_EQ(confusion.count(0, 1), 1);
  EXPECT_EQ(confusion.count(1, 0), 1);
  const std::vector<ClassScore> scores = confusion.scores();
  EXPECT_EQ(scores[0].support, 4);
  EXPECT_DOUBLE_EQ(scores[0].precision(), 0.75);
  EXPECT_DOUBLE_EQ(scores[0].recall(), 0.75);
  EXPECT_DOUBLE_EQ(scores[0].f1(), 0.75);
  EXPECT_DOUBLE_EQ(scores[1].precision(), 0.5);
  EXPECT_DOUBLE_EQ(scores[1].recall(), 0.5);
  EXPECT_EQ(scores[2].support, 0);
  EXPECT_EQ(scores[2].precision(), 0) << "never answered";
  EXPECT_EQ(scores[2].f1(), 0);
}

TEST(OutputErrors, GiveMeanAbsoluteErrorRootMeanSquareAndRSquared) {
  OutputErrors errors(2);
  // Output 0: targets 1, 2, 3, 4; errors 0, 1, −1, 2. Output 1: all targets 5.
  const float outputs[][2] = {{1, 5}, {3, 6}, {2, 5}, {6, 5}};
  const float targets[][2] = {{1, 5}, {2, 5}, {3, 5}, {4, 5}};
  for (int i = 0; i < 4; ++i) errors.add(outputs[i], targets[i]);
  const std::vector<OutputScore> scores = errors.scores();
  EXPECT_DOUBLE_EQ(scores[0].mean_absolute_error, 1);
  EXPECT_DOUBLE_EQ(scores[0].root_mean_squared_error, std::sqrt(6.0 / 4));
  EXPECT_DOUBLE_EQ(scores[0].r_squared, 1 - 6.0 / 5);
  EXPECT_DOUBLE_EQ(scores[1].mean_absolute_error, 0.25);
  EXPECT_TRUE(std::isnan(scores[1].r_squared)) << "equal targets have no spread";
}

}  // namespace
}  // namespace convoy::predict
