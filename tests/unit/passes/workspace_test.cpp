// Tests which operations are fused, and that neither fusion nor shared memory changes the results of a
// network.

#include "convoy/nn/workspace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "convoy/nn/operations.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"

namespace convoy::nn {
namespace {

std::vector<LayerText> layer_texts(const std::vector<std::string>& texts) {
  std::vector<LayerText> lines;
  for (const std::string& text : texts) lines.push_back({text, "test"});
  return lines;
}

Network network_of(const std::vector<std::string>& texts, const Shape& input = {3, 8, 8}) {
  return Network(input, layer_texts(texts), LossKind::kSoftmaxCrossEntropy, 4);
}

std::vector<std::string> operations_of(const Network& net) {
  std::vector<std::string> texts;
  for (const Operation& operation : plan_operations(net)) texts.push_back(describe(net, operation));
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Operations, FuseAnActivationIntoTheLayerBeforeIt) {
  EXPECT_EQ(operations_of(network_of({"conv 4 3x3", "sigmoid", "batchnorm", "tanh", "tanh", "dense 4"})),
            (Texts{"conv1 + sigmoid1", "batchnorm1 + tanh1", "tanh2", "dense1"}));
  EXPECT_EQ(operations_of(network_of({"conv 4 3x3", "relu", "maxpool 2x2", "batchnorm", "relu", "flatten",
                                      "dense 5", "relu", "dense 4"})),
            (Texts{"conv1 + relu1", "maxpool1", "batchnorm1 + relu2", "dense1 + relu3", "dense2"}));
}

TEST(Operations, FuseTheSumOfAnIdentityBlockIntoItsLastLayer) {
  EXPECT_EQ(operations_of(network_of(
                {"conv 4 1x1", "residual {", "conv 4 3x3 pad=1", "batchnorm", "}", "relu", "dense 4"})),
            (Texts{"conv1", "conv2", "batchnorm1 + add1 + relu1", "dense1"}));
}

TEST(Operations, FuseTheSumOfABlockWithShortcutIntoTheBranchThatRunsLast) {
  EXPECT_EQ(operations_of(network_of({"residual {", "conv 4 3x3 pad=1", "batchnorm", "} shortcut {",
                                      "conv 4 1x1", "batchnorm", "}", "relu", "dense 4"})),
            (Texts{"conv1", "batchnorm1", "conv2", "batchnorm2 + add1 + relu1", "dense1"}));
}

TEST(Operations, FuseNothingIntoAResultThatTwoLayersRead) {
  EXPECT_EQ(
      operations_of(network_of({"conv 4 1x1", "residual {", "relu", "conv 4 1x1", "}", "tanh", "dense 4"})),
      (Texts{"conv1", "relu1", "conv2 + add1 + tanh1", "dense1"}));
}

/// Networks with different buffer lifetimes.
std::vector<Texts> networks() {
  return {
      {"conv 5 3x3 pad=1", "relu", "maxpool 2x2", "conv 6 3x3", "relu", "dense 7", "tanh", "dense 4"},
      {"conv 5 3x3 pad=1", "batchnorm", "tanh", "residual {", "conv 5 1x1", "}", "sigmoid", "dense 4"},
      {"conv 4 3x3 pad=1 bias=no",
       "batchnorm",
       "relu",
       "residual {",
       "conv 4 3x3 pad=1 bias=no",
       "batchnorm",
       "relu",
       "conv 4 3x3 pad=1 bias=no",
       "batchnorm",
       "}",
       "relu",
       "residual {",
       "conv 8 3x3 pad=1 stride=2 bias=no",
       "batchnorm",
       "relu",
       "conv 8 3x3 pad=1 bias=no",
       "batchnorm",
       "} shortcut {",
       "conv 8 1x1 stride=2 bias=no",
       "batchnorm",
       "}",
       "relu",
       "globalavgpool",
       "dense 4"},
      {"residual {", "conv 3 3x3 pad=1", "}", "relu", "residual {", "batchnorm", "}", "dropout 0.3",
       "residual {", "residual {", "sigmoid", "conv 3 1x1", "}", "relu", "}", "avgpool 2x2", "flatten",
       "dense 4"},
  };
}

struct Result {
  std::vector<float> output, gradient;
};

Result run(const Network& net, Keep keep, int threads) {
  const std::int64_t samples = 17;
  std::vector<float> parameters(static_cast<std::size_t>(net.parameter_count()));
  std::vector<float> statistics(static_cast<std::size_t>(net.statistic_count()));
  net.initialise(5, parameters, statistics);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(samples));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(samples));
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    numbers[n] = static_cast<std::int64_t>(3 * n);
    labels[n] = static_cast<std::int64_t>(n % 4);
  }
  const auto& kernels = kernels::float_kernels(kernels::supported_isas().back());
  Workspace<float> workspace(net, kernels.planner, samples, {.threads = threads, .keep = keep});
  const MicroBatch batch{.samples = numbers, .seed = 2, .epoch = 1};
  std::vector<double> images;
  for (std::int64_t i = 0; i < samples * net.input().size(); ++i)
    images.push_back(std::sin(static_cast<double>(i * i % 1009)));
  const auto lanes =
      test::to_lanes<float>(images, samples, net.input().size(), test::IdleLanes::kFirstSample);
  const Values<float> values{parameters.data(), statistics.data()};
  Result result;
  result.gradient.assign(static_cast<std::size_t>(net.gradient_size()), NAN);
  test::run_team(threads, [&](const Team& team) {
    for (int repeat = 0; repeat < 2; ++repeat) {  // the second run starts with the memory of the first
      if (team.index() == 0) std::copy(lanes.span().begin(), lanes.span().end(), workspace.input());
      team.barrier();
      workspace.forward(kernels, team, values, batch);
      if (team.index() == 0) {
        result.output.assign(workspace.output(), workspace.output() + lane_blocks(samples) * 4 * kLanes);
        (void)workspace.loss(batch, labels);
      }
      team.barrier();
      workspace.backward(kernels, team, values, batch, result.gradient.data());
    }
  });
  return result;
}

TEST(Workspace, SharesMemoryWithoutChangingABit) {
  for (const Texts& texts : networks()) {
    const Network net = network_of(texts);
    const Result apart = run(net, Keep::kAll, 1);
    EXPECT_TRUE(std::ranges::all_of(apart.gradient, [](float x) { return std::isfinite(x); }));
    for (const int threads : {1, 3}) {
      const Result shared = run(net, Keep::kResults, threads);
      EXPECT_EQ(shared.output, apart.output) << texts.front() << ", " << threads << " threads";
      EXPECT_EQ(shared.gradient, apart.gradient) << texts.front() << ", " << threads << " threads";
    }
  }
}

TEST(Workspace, OfANetworkOfViewsGivesItsInput) {
  const Network net({4, 1, 1}, layer_texts({"flatten"}), LossKind::kQuadratic, 4);
  const Result result = run(net, Keep::kResults, 1);
  EXPECT_EQ(result.output.size(), static_cast<std::size_t>(2 * 4 * kLanes));
  EXPECT_NE(result.output, std::vector<float>(result.output.size()));
}

TEST(Workspace, HoldsLessThanEveryActivationAndDiffTogether) {
  const kernels::Planner& planner = kernels::float_kernels(kernels::Isa::kPortable).planner;
  for (const Texts& texts : networks()) {
    const Network net = network_of(texts);
    EXPECT_LT(Workspace<float>(net, planner, 16, {.keep = Keep::kResults}).bytes(),
              Workspace<float>(net, planner, 16, {.keep = Keep::kAll}).bytes());
  }
}

}  // namespace
}  // namespace convoy::nn
