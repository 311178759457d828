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

}  // namespace
}  // namespace convoy::model
