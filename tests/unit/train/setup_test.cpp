#include "setup.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/train/checkpoint.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::train {
namespace {

TEST(CeilDiv, RoundsUp) {
  EXPECT_EQ(ceil_div(0, 4), 0);
  EXPECT_EQ(ceil_div(1, 4), 1);
  EXPECT_EQ(ceil_div(8, 4), 2);
  EXPECT_EQ(ceil_div(9, 4), 3);
}

TEST(CheckRanks, AsManyRanksAsMicroBatchesAreRight) {
  Options options;
  options.batch = 20;
  options.micro_batch = 6;
  EXPECT_NO_THROW(check_ranks(options, 4));
  EXPECT_THROW(check_ranks(options, 5), ConfigError);
}

TEST(CheckRanks, TheMicroBatchThatItNamesIsTheLargestThatWouldDo) {
  Options options;
  options.batch = 20;
  options.micro_batch = 20;
  for (int ranks = 2; ranks <= 20; ++ranks) {
    std::int64_t largest = 20;
    while (ceil_div(20, largest) < ranks) --largest;
    EXPECT_HOLDS(test::message_of<ConfigError>([&] { check_ranks(options, ranks); }),
                 "train.micro-batch = " + std::to_string(largest) + " or less would do");
  }
  EXPECT_HOLDS(test::message_of<ConfigError>([&] { check_ranks(options, 21); }), "at most 20 ranks");
}

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

TEST(Update, StatisticsFollowTheMeanByATenth) {
  const nn::Network network({1, 2, 2}, {{"conv 1 1x1", "test"}, {"batchnorm", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  State state = make_state(network, 0);
  ASSERT_EQ(state.statistics.size(), 2U);
  state.statistics[0] = 4;
  state.statistics[1] = 8;
  const std::vector<float> sum{16, 32};  // of eight samples: means 2 and 4
  const optim::SgdOptions sgd;
  const std::vector<optim::ParameterRange> ranges = decay_ranges(network);
  Update{.sgd = &sgd, .ranges = &ranges, .rate = 1, .samples = 8}.apply(
      {network.parameter_count(), network.gradient_size()}, sum.data(), state);
  EXPECT_EQ(state.statistics[0], 0.9F * 4 + 0.1F * 2);
  EXPECT_EQ(state.statistics[1], 0.9F * 8 + 0.1F * 4);
}

}  // namespace
}  // namespace convoy::train
