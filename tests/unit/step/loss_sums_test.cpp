#include "convoy/step/loss_sums.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/comm/tree.hpp"

namespace convoy::step {
namespace {

using comm::Communicator;

TEST(LossSums, PlacesAreZeroAlsoAfterAnotherStep) {
  LossSums sums(Communicator::self());
  for (MicroBatchResult& leaf : sums.places(3)) leaf = {.loss_sum = 1, .correct = 2};
  const std::span<MicroBatchResult> places = sums.places(2);
  ASSERT_EQ(places.size(), 2U);
  for (const MicroBatchResult& leaf : places) {
    EXPECT_EQ(leaf.loss_sum, 0);
    EXPECT_EQ(leaf.correct, 0);
  }
}

TEST(LossSums, CorrectAnswersAreAddedUp) {
  LossSums sums(Communicator::self());
  const std::span<MicroBatchResult> places = sums.places(3);
  for (std::size_t i = 0; i < 3; ++i) places[i].correct = static_cast<std::int64_t>(i) + 4;
  EXPECT_EQ(sums.sum(3).correct, 4 + 5 + 6);
}

TEST(LossSums, LossesAreAddedAlongTheTree) {
  // e is half of the last bit of 1: (1 + e) + (e + e) keeps the bit that ((1 + e) + e) + e loses.
  const std::vector<double> losses{1, 0x1p-53, 0x1p-53, 0x1p-53};
  LossSums sums(Communicator::self());
  const std::span<MicroBatchResult> places = sums.places(4);
  for (std::size_t i = 0; i < 4; ++i) places[i].loss_sum = losses[i];
  const double sum = sums.sum(4).loss_sum;
  EXPECT_EQ(sum, 1 + 0x1p-52);
  EXPECT_EQ(sum, comm::tree_sum(losses));
  double from_the_left = 0;
  for (const double loss : losses) from_the_left += loss;
  EXPECT_NE(sum, from_the_left);
}

TEST(LossSums, ARequestIsNoCorrectAnswer) {
  LossSums sums(Communicator::self());
  sums.places(1).front() = {.loss_sum = 0.5, .correct = 7};
  const MicroBatchResult sum = sums.sum(1, 2);
  EXPECT_EQ(sum.correct, 7);
  EXPECT_EQ(sum.loss_sum, 0.5);
  EXPECT_EQ(sums.strongest_request(), 2);
}

TEST(LossSums, ARequestIsOfItsStepAlone) {
  LossSums sums(Communicator::self());
  EXPECT_EQ(sums.strongest_request(), 0);
  (void)sums.places(2);
  EXPECT_EQ(sums.sum(2, 1).correct, 0);
  EXPECT_EQ(sums.strongest_request(), 1);
  (void)sums.places(2);
  EXPECT_EQ(sums.sum(2).correct, 0);
  EXPECT_EQ(sums.strongest_request(), 0);
}

}  // namespace
}  // namespace convoy::step
