#include "convoy/model/state.hpp"

#include <gtest/gtest.h>

namespace convoy::model {
namespace {

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

// Two layers of two channels; every share of the update, cut anywhere, does the same.
TEST(Update, StatisticsFollowWithTheMomentumOfTheirLayer) {
  const nn::Network network({2, 1, 1},
                            {{"batchnorm momentum=0.25", "test"}, {"batchnorm", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  const std::int64_t parameters = network.parameter_count();
  ASSERT_EQ(network.statistic_count(), 8);
  const optim::SgdOptions sgd;
  const std::vector<optim::ParameterRange> ranges = decay_ranges(network);
  const Update update{.sgd = &sgd, .ranges = &ranges, .rate = 1, .samples = 8};
  std::vector<float> sum(static_cast<std::size_t>(network.gradient_size()));
  for (std::size_t i = 0; i < 8; ++i)
    sum[static_cast<std::size_t>(parameters) + i] = 16 * static_cast<float>(i + 1);
  for (const std::int64_t cut : {parameters - 1, parameters + 3, parameters + 5}) {
    State state = make_state(network, 0);
    for (std::size_t i = 0; i < 8; ++i) state.statistics[i] = 4 + static_cast<float>(i);
    update.apply({0, cut}, sum.data(), state);
    update.apply({cut, network.gradient_size()}, sum.data() + cut, state);
    for (std::size_t i = 0; i < 8; ++i) {
      const float start = 4 + static_cast<float>(i);
      const float average = 2 * static_cast<float>(i + 1);
      EXPECT_EQ(state.statistics[i], i < 4 ? 0.75F * start + 0.25F * average : 0.9F * start + 0.1F * average)
          << i << ", cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace convoy::model
