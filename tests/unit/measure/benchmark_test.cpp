// Tests the arithmetic of `convoy bench`, and that its results are complete; never the measured times.

#include "convoy/measure/benchmark.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "convoy/measure/team_timer.hpp"
#include "support/teams.hpp"

namespace convoy::measure {
namespace {

constexpr double kReal = sizeof(float);

nn::Network network(const std::vector<std::string>& texts, const Shape& input) {
  std::vector<nn::LayerText> lines;
  for (const std::string& text : texts) lines.push_back({text, "test"});
  return nn::Network(input, lines, nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
}

/// The work of the operation with description `name`.
Passes<PassWork> work(const nn::Network& net, const std::string& name, std::int64_t samples) {
  for (const passes::Operation& operation : passes::plan_operations(net))
    if (passes::describe(net, operation) == name) return work_of(net, operation, samples);
  ADD_FAILURE() << "no operation " << name;
  return {};
}

void expect_work(const std::optional<PassWork>& got, double multiply_adds, double elements) {
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->multiply_adds, multiply_adds);
  EXPECT_EQ(got->bytes, elements * kReal);
}

TEST(Work, OfAConvolutionLeavesOutPaddingAndCountsIdleLanesAsBytesAlone) {
  const nn::Network net = network({"tanh", "conv 2 3x3 pad=1", "dense 3"}, {1, 4, 4});
  // On an axis of 4 with windows of 3 and padding 1, 3·4 − 2 taps are inside the image; 1 · 2 channels.
  const double products = 5 * (2 * 10 * 10);
  const double src = 16 * 16;  // 5 samples need one block of 16 lanes
  const double dst = 2 * 16 * 16;
  const double parameters = 2 * 9 + 2;
  const Passes<PassWork> conv = work(net, "conv1", 5);
  expect_work(conv.forward, products, src + parameters + dst);
  expect_work(conv.diff_weights, products, src + dst + parameters);
  expect_work(conv.diff_src, products, dst + parameters + src);
}

TEST(Work, HasNoDiffSrcWhereNobodyWantsIt) {
  const nn::Network net = network({"flatten", "dense 3"}, {1, 2, 2});
  const Passes<PassWork> dense = work(net, "dense1", 16);
  EXPECT_FALSE(dense.diff_src);  // the input is a view of the network's input
  expect_work(dense.diff_weights, 16 * 12, 16 * (4 + 3) + 12 + 3);
}

TEST(Work, OfALayerWithoutProductsIsMemoryAloneAndItsBackwardOnePass) {
  const nn::Network net = network({"conv 2 1x1", "batchnorm", "maxpool 2x2", "tanh", "dense 2"}, {1, 4, 4});
  const double image = 2 * 16 * 16;
  const Passes<PassWork> batchnorm = work(net, "batchnorm1", 16);
  expect_work(batchnorm.forward, 0, 2 * image + 4 + 4);       // weight and bias, mean and variance
  expect_work(batchnorm.diff_src, 0, 3 * image + 4 + 4 + 4);  // also the diffs of weight and bias
  EXPECT_FALSE(batchnorm.diff_weights);
  const Passes<PassWork> tanh = work(net, "tanh1", 16);
  expect_work(tanh.forward, 0, 2 * image / 4);
  expect_work(tanh.diff_src, 0, 3 * image / 4);  // reads dst, not src
  EXPECT_FALSE(tanh.diff_weights);
  const Passes<PassWork> maxpool = work(net, "maxpool1", 16);  // the indices of the maxima, int32, are stored
  expect_work(maxpool.forward, 0, image + 2 * image / 4);
  expect_work(maxpool.diff_src, 0, image + 2 * image / 4);
}

TEST(Work, OfWhatIsFusedIsTheAddendForwardAndTheOutputBackward) {
  const nn::Network net = network(
      {"conv 1 1x1", "residual {", "conv 1 1x1", "batchnorm", "}", "relu", "conv 1 1x1", "relu"}, {1, 4, 4});
  const double image = 16 * 16;
  const Passes<PassWork> sum = work(net, "batchnorm1 + add1 + relu1", 16);
  expect_work(sum.forward, 0, 3 * image + 2 + 2);
  expect_work(sum.diff_src, 0, 4 * image + 2 + 2 + 2);
  const Passes<PassWork> conv = work(net, "conv3 + relu2", 16);
  expect_work(conv.forward, 16 * 16, 2 * image + 2);
  expect_work(conv.diff_weights, 16 * 16, 3 * image + 2);
  expect_work(conv.diff_src, 16 * 16, 2 * image + 2);
}

TEST(Roof, IsTheOneThatTakesLonger) {
  const Ceiling ceiling{.multiply_adds = 50, .bytes = 10};
  EXPECT_EQ(roof_of({.multiply_adds = 51, .bytes = 10}, ceiling), Roof::kCompute);
  EXPECT_EQ(roof_of({.multiply_adds = 49, .bytes = 10}, ceiling), Roof::kMemory);
  EXPECT_EQ(roof_of({.multiply_adds = 0, .bytes = 1}, ceiling), Roof::kMemory);
}

TEST(TeamTimer, CallsEveryThreadEquallyOftenAndTellsAllTheSame) {
  TeamTimer clock;
  std::array<std::int64_t, 3> calls{};
  std::array<LapTimes, 3> laps{};
  test::run_team(3, [&](const Team& team) {
    const auto me = static_cast<std::size_t>(team.index());
    for (int again = 0; again < 2; ++again) {
      laps[me] = clock.measure(team, 1e-4, [&] {
        ++calls[me];
        team.barrier();
      });
    }
  });
  EXPECT_GE(calls[0], 2 * (1 + 3));  // a warm-up, then three laps
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(calls[i], calls[0]);
    EXPECT_EQ(laps[i].median, laps[0].median);
    EXPECT_GT(laps[i].fastest, 0);
    EXPECT_LE(laps[i].fastest, laps[i].median);
  }
}

struct Measured : testing::Test {
  const nn::Network net = network({"conv 3 3x3 pad=1", "batchnorm", "relu", "residual {", "conv 3 3x3 pad=1",
                                   "}", "maxpool 2x2", "dropout 0.5", "flatten", "dense 4"},
                                  {2, 6, 6});
  step::Options options;

  Measured() {
    options.batch = 10;
    options.micro_batch = 4;  // three leaves; the last has two samples
    options.optimizer.momentum = 0.9;
  }
  [[nodiscard]] static BenchmarkSetting setting(int threads) {
    return {.kernels = kernels::float_kernels(kernels::Isa::kPortable), .threads = threads, .seconds = 1e-5};
  }
};

TEST_F(Measured, LayersHaveThePassesOfTheirWork) {
  for (const int threads : {1, 2, 7}) {  // 7: three teams, of 3, 2 and 2 threads
    const std::int64_t teams = teams_of(options, threads);
    EXPECT_EQ(teams, std::min(threads, 3));
    const std::vector<LayerTimes> layers = measure_layers(net, options, setting(threads));
    const std::vector<passes::Operation> operations = passes::plan_operations(net);
    ASSERT_EQ(layers.size(), operations.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_EQ(layers[i].name, passes::describe(net, operations[i]));
      const Passes<PassWork> expected = work_of(net, operations[i], options.micro_batch);
      const auto expect_pass = [&](const std::optional<PassTime>& time, const std::optional<PassWork>& one) {
        ASSERT_EQ(time.has_value(), one.has_value()) << layers[i].name;
        if (!time) return;
        EXPECT_EQ(time->work.multiply_adds, one->multiply_adds * static_cast<double>(teams));
        EXPECT_EQ(time->work.bytes, one->bytes * static_cast<double>(teams));
        EXPECT_GE(time->seconds, 0);
      };
      expect_pass(layers[i].passes.forward, expected.forward);
      expect_pass(layers[i].passes.diff_src, expected.diff_src);
      expect_pass(layers[i].passes.diff_weights, expected.diff_weights);
      EXPECT_GT(layers[i].passes.forward->seconds, 0) << layers[i].name;
    }
  }
}

TEST_F(Measured, StepsCountTheWorkOfAllPassesAndSharesOfAllTheirTime) {
  const StepTime step = measure_steps(comm::Communicator::self(), net, options, setting(2));
  EXPECT_GE(step.steps, 5);
  EXPECT_GT(step.seconds, 0);
  // conv1: 2 · 3 channels and (3·6 − 2)² taps, forward and weights; conv2: 3 · 3, all three passes; dense: 27
  // · 4.
  EXPECT_EQ(step.work.multiply_adds, 10. * (2 * 6 * 256 + 3 * 9 * 256 + 3 * 27 * 4));
  const step::Shares shares = step::shares_of(step.times);
  for (const double share : shares) EXPECT_GE(share, 0);
  for (std::size_t i = 0; i + 1 < shares.size(); ++i) EXPECT_GT(shares[i], 0) << step::kShareNames[i];
}

TEST(Machine, HasAPeakAndABandwidth) {
  const Ceiling ceiling = measure_ceiling(kernels::float_kernels(kernels::Isa::kPortable), 2, 1e-5, 1 << 16);
  EXPECT_GT(ceiling.multiply_adds, 0);
  EXPECT_GT(ceiling.bytes, 0);
}

}  // namespace
}  // namespace convoy::measure
