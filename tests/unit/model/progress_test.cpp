#include "convoy/model/checkpoint.hpp"

#include <gtest/gtest.h>

namespace convoy::model {
namespace {

TEST(Progress, AnEpochsSumsEndWithItAndTheRunsGoOn) {
  Progress progress;
  progress.add_step(16, {.loss_sum = 2, .correct = 3});
  progress.add_step(4, {.loss_sum = 0.5, .correct = 1});
  EXPECT_EQ(progress.epoch_loss_sum, 2.5);
  EXPECT_EQ(progress.epoch_correct, 4);
  EXPECT_EQ(progress.epoch_samples, 20);
  progress.end_epoch(0);
  EXPECT_EQ(progress.epoch_loss_sum, 0);
  EXPECT_EQ(progress.epoch_correct, 0);
  EXPECT_EQ(progress.epoch_samples, 0);
  EXPECT_EQ(progress.step, 2);
  EXPECT_EQ(progress.epoch, 1);
  EXPECT_EQ(progress.samples, 20);
}

}  // namespace
}  // namespace convoy::model
