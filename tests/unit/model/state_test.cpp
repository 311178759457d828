#include "convoy/model/state.hpp"

#include <gtest/gtest.h>

#include "convoy/optim/optimizers.hpp"

namespace convoy::model {
namespace {

TEST(Update, StatisticsFollowTheMeanByATenth) {
  const nn::Network network({1, 2, 2}, {{"conv 1 1x1", "test"}, {"batchnorm", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  State state = make_state(network);
  ASSERT_EQ(state.statistics.size(), 2U);
  state.statistics[0] = 4;
  state.statistics[1] = 8;
  const std::vector<float> sum{16, 32};  // eight samples: means 2 and 4
  const std::unique_ptr<const optim::Optimizer> sgd = optim::make_sgd({});
  Update{.optimizer = sgd.get(), .info = {.learning_rate = 1, .samples = 8}}.apply(
      {network.parameter_count(), network.gradient_size()}, sum.data(), state);
  EXPECT_EQ(state.statistics[0], 0.9F * 4 + 0.1F * 2);
  EXPECT_EQ(state.statistics[1], 0.9F * 8 + 0.1F * 4);
}

// Two layers of two channels. The update gives the same result for any division into ranges.
TEST(Update, StatisticsFollowWithTheMomentumOfTheirLayer) {
  const nn::Network network({2, 1, 1},
                            {{"batchnorm momentum=0.25", "test"}, {"batchnorm", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  const std::int64_t parameters = network.parameter_count();
  ASSERT_EQ(network.statistic_count(), 8);
  const std::unique_ptr<const optim::Optimizer> sgd = optim::make_sgd({});
  const Update update{.optimizer = sgd.get(), .info = {.learning_rate = 1, .samples = 8}};
  std::vector<float> sum(static_cast<std::size_t>(network.gradient_size()));
  for (std::size_t i = 0; i < 8; ++i)
    sum[static_cast<std::size_t>(parameters) + i] = 16 * static_cast<float>(i + 1);
  for (const std::int64_t cut : {parameters - 1, parameters + 3, parameters + 5}) {
    State state = make_state(network);
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

/// Adds the sum to the first state, the tensor's number plus 1 to the second, and 1 (2 with decay) to the
/// parameter.
class Marks final : public optim::Optimizer {
 public:
  [[nodiscard]] std::vector<std::string_view> states() const override { return {"first", "second"}; }
  void update(const optim::StepInfo&, const optim::Stretch& stretch, const optim::Norms&) const override {
    for (std::int64_t i = 0; i < stretch.size; ++i) {
      stretch.states[0][i] += stretch.gradient_sum[i];
      stretch.states[1][i] += static_cast<float>(stretch.tensor) + 1;
      stretch.parameters[i] += stretch.decay_factor == 1 ? 2.0F : 1.0F;
    }
  }
};

TEST(Update, GivesEachStretchItsTensorAndItsPartOfEveryState) {
  const nn::Network network({1, 2, 2}, {{"conv 3 2x2", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  const Marks marks;
  const Update update{.optimizer = &marks, .info = {}};
  const std::int64_t size = network.parameter_count();
  std::vector<float> sum(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = static_cast<float>(i);
  for (std::int64_t cut = 0; cut <= size; ++cut) {
    State state = make_state(network, &marks);
    ASSERT_EQ(state.optimizer.size(), 2U);
    EXPECT_EQ(state.optimizer[1].name, "second");
    EXPECT_EQ(state.kept(), 2 * size);
    update.apply({0, cut}, sum.data(), state);
    update.apply({cut, size}, sum.data() + cut, state);
    for (std::size_t tensor = 0; tensor < network.parameters().size(); ++tensor) {
      const nn::Tensor& its = network.parameters()[tensor];
      for (std::int64_t i = its.offset; i < its.offset + its.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        ASSERT_EQ(state.optimizer[0].values.values()[at], sum[at]) << i << ", cut at " << cut;
        ASSERT_EQ(state.optimizer[1].values.values()[at], static_cast<float>(tensor + 1)) << i;
        ASSERT_EQ(state.parameters[at], its.decays ? 2.0F : 1.0F) << i;
      }
    }
  }
}

TEST(Update, LeavesWhatIsFrozenAndMeasuresItAsNothing) {
  const nn::Network network({1, 2, 2}, {{"conv 3 2x2", "test"}, {"dense 2", "test"}},
                            nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  const std::unique_ptr<const optim::Optimizer> lars =
      optim::make_lars({.momentum = 0.5, .weight_decay = 0.1, .trust_coefficient = 1});
  const std::int64_t size = network.parameter_count();
  const std::vector<float> sum(static_cast<std::size_t>(size), 1.0F);
  for (const double epochs : {0.0, 1.25, 1.5, 7.0}) {
    State state = make_state(network, lars.get());
    std::ranges::fill(state.parameters, 1.0F);
    state.parameter_ranges[0].frozen_from = 1.5;
    const Update update{.optimizer = lars.get(), .info = {.learning_rate = 0.5, .epochs_done = epochs}};
    const bool is_frozen = epochs >= 1.5;
    std::vector<double> squares{7, 7};
    update.measure(0, 0, state.parameter_ranges[0].range, sum.data(), state, squares);
    EXPECT_EQ(squares, (is_frozen ? std::vector{0.0, 0.0} : std::vector{12.0, 12.0}));
    optim::NormValues norms;
    for (int vector = 0; vector < 2; ++vector) norms.add(std::vector{1.0, 1.0, 1.0, 1.0}, 1.0);
    const optim::Norms view = norms.norms();
    Update with_norms = update;
    with_norms.norms = &view;
    with_norms.apply({0, 5}, sum.data(), state);  // cut within the tensor
    with_norms.apply({5, size}, sum.data() + 5, state);
    for (std::int64_t i = 0; i < size; ++i) {
      const bool stays = is_frozen && i < 12;
      EXPECT_EQ(state.parameters[static_cast<std::size_t>(i)] == 1, stays) << i;
      EXPECT_EQ(*state.optimizer.front().values.at(i) == 0, stays) << i;
    }
  }
}

}  // namespace
}  // namespace convoy::model
