// Compares steps of a StepRunner on several ranks with the same steps on one rank, and checks what its ranks
// tell each other.

#include "convoy/step/step_runner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/data/noise.hpp"
#include "world.hpp"

namespace convoy::step {
namespace {

using comm::Communicator;
using test::world;

constexpr std::int64_t kSamples = 31;  // a step of ten micro-batches, and one of six, the last of one sample
constexpr std::int64_t kBatch = 20;
constexpr std::int64_t kClasses = 3;
constexpr int kSteps = 5;

nn::Network make_network() {
  return nn::Network({2, 6, 6},
                     {{"conv 4 3x3 pad=1", "test"},
                      {"batchnorm", "test"},
                      {"relu", "test"},
                      {"maxpool 2x2", "test"},
                      {"dropout 0.25", "test"},
                      {"dense 3", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, kClasses);
}

Options make_options() {
  Options options;
  options.batch = kBatch;
  options.micro_batch = 2;
  options.seed = 5;
  options.threads = 2;
  options.optimizer.momentum = 0.9;
  return options;
}

class StepRunnerTest : public testing::Test {
 protected:
  StepRunnerTest() : order_(kSamples) { std::iota(order_.rbegin(), order_.rend(), 0); }

  std::unique_ptr<StepRunner> make_runner(const Options& options, const Communicator& ranks) {
    auto runner = std::make_unique<StepRunner>(options, ranks, network_, kernels_, source_, hooks_);
    network_.initialise(options.seed, runner->state().parameters, runner->state().statistics);
    ranks.barrier();  // ranks may share the memory that was just written
    runner->prepare_plans();
    return runner;
  }

  [[nodiscard]] StepInput input_of(std::int64_t step, double learning_rate = 0.05) const {
    const auto first = static_cast<std::size_t>(step % 2 * kBatch);
    const std::size_t size = std::min(static_cast<std::size_t>(kBatch), order_.size() - first);
    return {.step = step,
            .epoch = step / 2,
            .batch = std::span(order_).subspan(first, size),
            .learning_rate = learning_rate};
  }

  struct Training {
    std::vector<double> losses;
    std::vector<std::int64_t> correct;
    std::vector<float> values;  // parameters, then statistics
    bool operator==(const Training&) const = default;
  };

  Training train(const Options& options, const Communicator& ranks) {
    const std::unique_ptr<StepRunner> runner = make_runner(options, ranks);
    Training training;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      StepInput input = input_of(step);
      input.verify_follows = step % 2 == 1;
      const MicroBatchResult sum = runner->step(input);
      if (input.verify_follows) runner->verify();
      training.losses.push_back(sum.loss_sum);
      training.correct.push_back(sum.correct);
    }
    runner->settle();
    const model::State& state = runner->state();
    training.values.assign(state.parameters.begin(), state.parameters.end());
    training.values.insert(training.values.end(), state.statistics.begin(), state.statistics.end());
    ranks.barrier();  // nobody frees memory that another rank still reads
    return training;
  }

  nn::Network network_ = make_network();
  const kernels::KernelTable<float>& kernels_ = kernels::float_kernels(kernels::supported_isas().front());
  data::Split split_ = data::make_noise(network_.input(), kSamples, kClasses);
  Source source_{.split = &split_, .transform = data::noise_transform(network_.input())};
  Hooks hooks_;
  std::vector<std::int64_t> order_;
};

TEST_F(StepRunnerTest, HasTheBitsOfOneRank) {
  const Training expected = train(make_options(), Communicator::self());
  for (const bool is_shared : {true, false}) {
    for (const bool is_sharded : {true, false}) {
      for (const bool overlaps : {true, false}) {
        for (const std::int64_t threads : {1, 2, 3}) {
          Options options = make_options();
          options.threads = threads;
          options.comm.bucket_bytes = 256;
          options.comm.shared_memory = is_shared;
          options.comm.shards_optimizer = is_sharded;
          options.comm.overlap = overlaps;
          SCOPED_TRACE(std::to_string(threads) + " threads" + (is_shared ? ", shared" : ", private") +
                       (is_sharded ? ", by owners" : ", everywhere") + (overlaps ? ", overlapping" : ""));
          ASSERT_EQ(train(options, world()), expected);
        }
      }
    }
  }
}

TEST_F(StepRunnerTest, EachStepLearnsFromTheOneBefore) {
  const Training training = train(make_options(), world());
  EXPECT_NE(training.losses[0], training.losses[2]);
  EXPECT_NE(training.losses[2], training.losses[4]);
}

TEST_F(StepRunnerTest, TheStrongestRequestIsWhatEveryRankHears) {
  const std::unique_ptr<StepRunner> runner = make_runner(make_options(), world());
  const int last = world().size() - 1;
  StepInput input = input_of(0);
  input.request = [&] { return world().rank() == last ? 2 : world().rank() % 2; };
  (void)runner->step(input);
  EXPECT_EQ(runner->strongest_request(), 2);
  input = input_of(1);
  input.request = [] { return 0; };
  (void)runner->step(input);
  EXPECT_EQ(runner->strongest_request(), 0);
  world().barrier();
}

TEST_F(StepRunnerTest, EveryRankLearnsOfALossThatIsNotFinite) {
  const std::unique_ptr<StepRunner> runner = make_runner(make_options(), world());
  (void)runner->step(input_of(0, std::numeric_limits<double>::infinity()));
  EXPECT_THROW((void)runner->step(input_of(1)), DivergedError);
  world().barrier();
}

TEST_F(StepRunnerTest, AGradientThatOneRankComputedWronglyIsNamed) {
  if (world().size() == 1) GTEST_SKIP() << "needs several ranks";
  const int wrong = world().size() - 1;
  hooks_.corrupt = [&](std::string_view what, int, int rank, std::int64_t step, std::span<std::byte> bytes) {
    if (what == "gradient" && rank == wrong && step == 2) bytes.front() ^= std::byte{1};
  };
  const std::unique_ptr<StepRunner> runner = make_runner(make_options(), world());
  (void)runner->step(input_of(0));
  StepInput input = input_of(1);
  input.verify_follows = true;
  (void)runner->step(input);
  try {
    runner->verify();
    ADD_FAILURE() << "not noticed";
  } catch (const DisagreementError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("the gradient of micro-batch"), std::string::npos) << text;
    EXPECT_NE(text.find("(rank " + std::to_string(wrong) + " on"), std::string::npos) << text;
  }
  world().barrier();
}

TEST(LossSumsOfSeveralRanks, AreTheTreesOfAllMicroBatchesOnEveryRank) {
  for (const std::int64_t leaves : {1, 2, 3, 7, 12}) {
    std::vector<double> losses;
    std::int64_t correct = 0;
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf) {
      losses.push_back(1.0 / static_cast<double>(3 + leaf));
      correct += 10 + leaf;
    }
    LossSums sums(world());
    const std::span<MicroBatchResult> places = sums.places(leaves);
    const Range mine = comm::leaf_block(leaves, world().size(), world().rank());
    for (std::int64_t leaf = mine.begin; leaf < mine.end; ++leaf)
      places[static_cast<std::size_t>(leaf - mine.begin)] = {
          .loss_sum = losses[static_cast<std::size_t>(leaf)], .correct = 10 + leaf};
    const MicroBatchResult sum = sums.sum(leaves, world().rank());
    EXPECT_EQ(sum.loss_sum, comm::tree_sum(losses)) << leaves << " micro-batches";
    EXPECT_EQ(sum.correct, correct) << leaves << " micro-batches";
    EXPECT_EQ(sums.strongest_request(), world().size() - 1) << leaves << " micro-batches";
  }
}

}  // namespace
}  // namespace convoy::step
