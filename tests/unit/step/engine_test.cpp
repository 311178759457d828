// A single rank. The Reducer, which adds the sums of several ranks, has its tests in tests/mpi.

#include "convoy/step/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "convoy/comm/tree.hpp"
#include "convoy/data/noise.hpp"
#include "support/norm_scaled.hpp"

namespace convoy::step {
namespace {

constexpr std::int64_t kMicroBatch = 3;
constexpr std::int64_t kSamples = 20;  // the last of seven micro-batches has two samples
constexpr std::int64_t kLeaves = 7;
constexpr std::int64_t kClasses = 3;
constexpr std::uint64_t kSeed = 11;
constexpr std::int64_t kEpoch = 2;

nn::Network engine_network() {
  std::vector<nn::LayerText> lines;
  for (const char* text : {"conv 4 3x3 pad=1", "batchnorm", "relu", "maxpool 2x2", "dropout 0.25", "dense 3"})
    lines.push_back({text, "test"});
  return nn::Network({2, 6, 6}, lines, nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
}

class EngineTest : public testing::Test {
 protected:
  EngineTest() : batch_(kSamples) {
    network_.initialise(kSeed, state_.parameters, state_.statistics);
    std::iota(batch_.rbegin(), batch_.rend(), 0);  // an order different from the split's
  }

  [[nodiscard]] static EngineSetting setting(int threads) {
    return {.kernels = kernels::float_kernels(kernels::supported_isas().back()),
            .threads = threads,
            .micro_batch = kMicroBatch};
  }
  [[nodiscard]] Engine engine(int threads) const { return {network_, setting(threads)}; }

  struct Step {
    std::vector<float> sum;  // [gradient_size], summed along the tree
    std::vector<double> losses;
    std::int64_t correct = 0;
    bool operator==(const Step&) const = default;
  };

  /// Computes the micro-batches of `block`, a maximal node of the tree.
  Step step(Engine& engine, const Range& block = {0, kLeaves}, const GradientObserver& observer = {}) {
    const StepPlan plan = plan_step(kLeaves, block, engine.threads());
    EXPECT_EQ(plan.nodes.size(), 1U);
    std::vector<MicroBatchResult> leaves(static_cast<std::size_t>(block.size()));
    engine.gradients({.plan = plan,
                      .source = source_,
                      .state = state_,
                      .batch = batch_,
                      .seed = kSeed,
                      .epoch = kEpoch,
                      .leaves = leaves,
                      .observer = observer});
    // Without an optimizer, an update assigns the sum to the values.
    model::State values = model::make_state(network_);
    engine.update(plan, {}, values);
    Step result;
    result.sum.assign(values.memory.span().begin(), values.memory.span().end());
    for (const MicroBatchResult& leaf : leaves) {
      result.losses.push_back(leaf.loss_sum);
      result.correct += leaf.correct;
    }
    return result;
  }

  nn::Network network_ = engine_network();
  data::Split split_ = data::make_noise(network_.input(), kSamples, kClasses);
  Source source_{.split = &split_, .transform = data::noise_transform(network_.input())};
  model::State state_ = model::make_state(network_);
  std::vector<std::int64_t> batch_;
};

TEST_F(EngineTest, TheSumIsTheTreesOfEachMicroBatchsGradient) {
  Engine one = engine(1);
  const Step whole = step(one);
  std::vector<Step> alone;
  for (std::int64_t leaf = 0; leaf < kLeaves; ++leaf) alone.push_back(step(one, {leaf, leaf + 1}));

  std::vector<float> of_leaves(kLeaves);
  for (std::size_t i = 0; i < whole.sum.size(); ++i) {
    for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) of_leaves[leaf] = alone[leaf].sum[i];
    ASSERT_EQ(whole.sum[i], comm::tree_sum(of_leaves)) << "element " << i;
  }
  for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) EXPECT_EQ(whole.losses[leaf], alone[leaf].losses[0]);
}

TEST_F(EngineTest, MicroBatchesHaveGradientsOfTheirOwn) {
  Engine one = engine(1);
  std::set<std::vector<float>> different;
  for (std::int64_t leaf = 0; leaf < kLeaves; ++leaf) different.insert(step(one, {leaf, leaf + 1}).sum);
  EXPECT_EQ(static_cast<std::int64_t>(different.size()), kLeaves);
}

TEST_F(EngineTest, ThreadsDoNotChangeABit) {
  Engine one = engine(1);
  const Step expected = step(one);
  for (const int threads : {2, 3, 4}) {
    Engine several = engine(threads);
    EXPECT_EQ(step(several), expected) << threads << " threads";
  }
}

TEST_F(EngineTest, ATeamOfThreadsOnOneMicroBatchDoesNotChangeABit) {
  Engine one = engine(1);
  const Step expected = step(one, {2, 3});
  for (const int threads : {2, 3, 4}) {
    Engine several = engine(threads);
    EXPECT_EQ(step(several, {2, 3}), expected) << threads << " threads";
  }
}

TEST_F(EngineTest, MicroBatchesTakenTogetherLayerByLayerDoNotChangeABit) {
  Engine one = engine(1);
  const Step expected = step(one);
  for (const int threads : {1, 2}) {
    EngineSetting three = setting(threads);
    three.layerwise = 3;
    Engine layerwise(network_, three);
    EXPECT_EQ(step(layerwise), expected) << threads << " threads";
  }
}

TEST_F(EngineTest, BorrowedBuffersHoldTheGradient) {
  Engine own = engine(1);
  const Step expected = step(own, {4, 5});
  std::vector<float> room(static_cast<std::size_t>(network_.gradient_size()));
  EngineSetting borrowing = setting(1);
  borrowing.slots = {room.data()};
  Engine borrower(network_, borrowing);
  EXPECT_EQ(step(borrower, {4, 5}), expected);
  EXPECT_EQ(room, expected.sum);
}

TEST_F(EngineTest, TheTapSeesEveryGradientOfEveryMicroBatchOnce) {
  const std::vector<passes::OperationRanges> ranges = passes::operation_ranges(network_);
  Engine one = engine(1);
  std::multiset<std::pair<std::int64_t, int>> seen;
  std::vector<float> of_leaf_3(static_cast<std::size_t>(network_.gradient_size()));
  const GradientObserver observer = [&](std::int64_t leaf, int operation, std::span<float> parameters,
                                        std::span<float> statistics) {
    seen.emplace(leaf, operation);
    if (leaf != 3) return;
    const passes::OperationRanges& own = ranges[static_cast<std::size_t>(operation)];
    std::copy(parameters.begin(), parameters.end(), of_leaf_3.begin() + own.parameters.begin);
    std::copy(statistics.begin(), statistics.end(), of_leaf_3.begin() + own.statistics.begin);
  };
  (void)step(one, {0, kLeaves}, observer);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kLeaves) * ranges.size());
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
  EXPECT_EQ(of_leaf_3, step(one, {3, 4}).sum);
}

TEST_F(EngineTest, ThreadsDoNotChangeABitOfAnUpdateByNorms) {
  const test::NormScaled optimizer;
  const auto updated = [&](int threads) {
    Engine each = engine(threads);
    const StepPlan plan = plan_step(kLeaves, {0, kLeaves}, threads);
    std::vector<MicroBatchResult> leaves(kLeaves);
    each.gradients({.plan = plan,
                    .source = source_,
                    .state = state_,
                    .batch = batch_,
                    .seed = kSeed,
                    .epoch = kEpoch,
                    .leaves = leaves});
    model::State state = model::make_state(network_, &optimizer);
    std::ranges::copy(state_.memory.span(), state.memory.span().begin());
    model::NormSums norms(optimizer, state.parameter_ranges);
    each.update(plan,
                {.optimizer = &optimizer, .info = {.step = 1, .learning_rate = 0.5, .samples = kSamples}},
                state, &norms);
    std::vector<float> all(state.memory.span().begin(), state.memory.span().end());
    const auto kept = state.optimizer.front().values.values();
    all.insert(all.end(), kept.begin(), kept.end());
    return all;
  };
  const std::vector<float> expected = updated(1);
  for (const int threads : {2, 3, 4}) EXPECT_EQ(updated(threads), expected) << threads << " threads";
}

TEST(Engine, EvaluatesMicroBatchesTogetherAsAlone) {
  std::vector<nn::LayerText> lines;
  for (const char* text : {"conv 4 3x3 pad=1", "relu", "maxpool 2x2", "dense 300", "tanh", "dense 3"})
    lines.push_back({text, "test"});
  const nn::Network network({2, 6, 6}, lines, nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
  ASSERT_EQ(passes::operations_apart(network), 2);
  constexpr std::int64_t kMany = 6 * kLanes + 5;
  const data::Split split = data::make_noise(network.input(), kMany, kClasses);
  model::State state = model::make_state(network);
  network.initialise(kSeed, state.parameters, state.statistics);
  const auto evaluate = [&](int threads, std::int64_t together) {
    Engine engine(network, {.kernels = kernels::float_kernels(kernels::supported_isas().back()),
                            .threads = threads,
                            .micro_batch = kLanes,
                            .trains = false,
                            .together = together});
    std::vector<MicroBatchResult> leaves(7);
    std::vector<float> all(kMany * kClasses, std::numeric_limits<float>::quiet_NaN());
    engine.evaluate({.split = &split, .transform = data::noise_transform(network.input())}, nullptr, state,
                    {0, 7}, leaves, all);
    for (const MicroBatchResult& leaf : leaves) all.push_back(static_cast<float>(leaf.loss_sum));
    return all;
  };
  const std::vector<float> expected = evaluate(1, 1);
  for (const int threads : {1, 2, 3}) EXPECT_EQ(evaluate(threads, 4), expected) << threads << " threads";
}

TEST_F(EngineTest, EvaluationDoesNotDependOnThreadsAndCountsEverySampleOnce) {
  const auto evaluate = [this](int threads) {
    Engine each = engine(threads);
    std::vector<MicroBatchResult> leaves(kLeaves);
    std::vector<float> outputs(kSamples * kClasses, std::numeric_limits<float>::quiet_NaN());
    each.evaluate(source_, nullptr, state_, {0, kLeaves}, leaves, outputs);
    std::vector<double> losses;
    std::int64_t correct = 0;
    for (const MicroBatchResult& leaf : leaves) {
      losses.push_back(leaf.loss_sum);
      correct += leaf.correct;
    }
    std::int64_t right = 0;
    for (std::size_t n = 0; n < kSamples; ++n) {
      const auto own = std::span(outputs).subspan(n * kClasses, kClasses);
      const auto answer = std::ranges::max_element(own) - own.begin();
      right += answer == source_.split->labels()[n] ? 1 : 0;
    }
    EXPECT_EQ(right, correct);
    return losses;
  };
  const std::vector<double> expected = evaluate(1);
  for (const int threads : {2, 3, 4}) EXPECT_EQ(evaluate(threads), expected) << threads << " threads";
}

}  // namespace
}  // namespace convoy::step
