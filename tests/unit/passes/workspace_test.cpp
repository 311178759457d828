// Tests which operations are fused, and that neither fusion nor shared memory changes the results of a
// network.

#include "convoy/passes/workspace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "convoy/passes/operations.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"

namespace convoy::passes {
namespace {

std::vector<nn::LayerText> layer_texts(const std::vector<std::string>& texts) {
  std::vector<nn::LayerText> lines;
  for (const std::string& text : texts) lines.push_back({text, "test"});
  return lines;
}

nn::Network network_of(const std::vector<std::string>& texts, const Shape& input = {3, 8, 8}) {
  return nn::Network(input, layer_texts(texts), nn::LossKind::kSoftmaxCrossEntropy, 4);
}

std::vector<std::string> operations_of(const nn::Network& net) {
  std::vector<std::string> texts;
  for (const Operation& operation : plan_operations(net)) texts.push_back(describe(net, operation));
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Workspace, ReportsThePlainLossInEvaluationAndTheMinimisedOneInTraining) {
  nn::LossFunction loss(nn::LossKind::kSoftmaxCrossEntropy);
  loss.label_smoothing = 0.5;
  loss.class_weights = {3, 3, 3, 3};
  const nn::Network net({4, 1, 1}, layer_texts({"flatten"}), loss, 4);
  const auto& kernels = kernels::float_kernels(kernels::supported_isas().front());
  Workspace<float> workspace(net, kernels.planner, 16);
  const std::vector<std::int64_t> samples{0};
  const std::vector<std::int64_t> labels{0};
  std::fill_n(workspace.input(), 4 * kLanes, 0.F);
  workspace.input()[0] = 100;  // sure of class 0, of which 1/8 is spread over each other class
  const auto loss_in = [&](nn::Phase phase) {
    const nn::MicroBatch batch{.phase = phase, .samples = samples};
    workspace.forward(kernels, Team(), {}, batch);
    return workspace.loss(batch, labels).loss_sum;
  };
  EXPECT_NEAR(loss_in(nn::Phase::kEvaluation), 0, 1e-30);
  EXPECT_NEAR(loss_in(nn::Phase::kTraining), 3 * 0.5 * 3. / 4 * 100, 1e-10);
}

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
      {"conv 4 3x3 pad=1",
       "batchnorm",
       "relu",
       "branches {",
       "} and {",
       "maxpool 2x2",
       "branches {",
       "conv 6 3x3 pad=1",
       "relu",
       "} and {",
       "conv 3 1x1",
       "maxpool 2x2",
       "upsample 2x2",
       "}",
       "conv 4 3x3 pad=1",
       "relu",
       "upsample 2x2",
       "}",
       "conv 5 3x3 pad=1",
       "relu",
       "globalavgpool",
       "dense 4"},
      {"conv 4 1x1", "relu", "residual {", "branches {", "conv 2 3x3 pad=1", "relu", "} and {", "}",
       "conv 4 1x1", "batchnorm", "}", "relu", "dense 4"},
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

Result run(const nn::Network& net, Keep keep, int threads) {
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
  const nn::MicroBatch batch{.samples = numbers, .seed = 2, .epoch = 1};
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
    const nn::Network net = network_of(texts);
    const Result apart = run(net, Keep::kAll, 1);
    EXPECT_TRUE(std::ranges::all_of(apart.gradient, [](float x) { return std::isfinite(x); }));
    for (const int threads : {1, 3}) {
      const Result shared = run(net, Keep::kResults, threads);
      EXPECT_EQ(shared.output, apart.output) << texts.front() << ", " << threads << " threads";
      EXPECT_EQ(shared.gradient, apart.gradient) << texts.front() << ", " << threads << " threads";
    }
  }
}

/// Outputs in evaluation, [blocks][4][16], with the first `apart` operations run block by block.
std::vector<float> evaluated(const nn::Network& net, int apart) {
  const std::int64_t samples = 37;  // three lane blocks
  std::vector<float> parameters(static_cast<std::size_t>(net.parameter_count()));
  std::vector<float> statistics(static_cast<std::size_t>(net.statistic_count()));
  net.initialise(5, parameters, statistics);
  const auto& kernels = kernels::float_kernels(kernels::supported_isas().back());
  Workspace<float> workspace(net, kernels.planner, samples, {.trains = false, .apart = apart});
  const std::vector<std::int64_t> numbers(static_cast<std::size_t>(samples));
  const nn::MicroBatch all{.phase = nn::Phase::kEvaluation, .samples = numbers};
  const Values<float> values{parameters.data(), statistics.data()};
  const std::int64_t size = net.input().size() * kLanes;
  const auto image = [&](std::int64_t block, std::int64_t i) {
    const std::int64_t at = block * size + i;
    return static_cast<float>(std::sin(static_cast<double>(at * at % 1009)));
  };
  const std::int64_t parts = apart > 0 ? all.blocks() : 1;
  for (std::int64_t part = 0; part < parts; ++part) {
    for (std::int64_t i = 0; i < all.blocks() / parts * size; ++i) workspace.input(part)[i] = image(part, i);
    nn::MicroBatch own = all;
    if (apart > 0)
      own.samples = all.samples.subspan(static_cast<std::size_t>(part * kLanes))
                        .first(static_cast<std::size_t>(std::min(kLanes, samples - part * kLanes)));
    workspace.forward_apart(kernels, Team(), values, own, part);
  }
  workspace.forward_together(kernels, Team(), values, all);
  return {workspace.output(), workspace.output() + all.blocks() * 4 * kLanes};
}

TEST(Workspace, EvaluatesBlockByBlockUpToAnyOperation) {
  for (const Texts& texts : networks()) {
    const nn::Network net = network_of(texts);
    const std::vector<float> expected = evaluated(net, 0);
    const auto operations = static_cast<int>(plan_operations(net).size());
    for (int apart = 1; apart <= operations; ++apart)
      EXPECT_EQ(evaluated(net, apart), expected) << texts.front() << ", " << apart << " of " << operations;
  }
}

TEST(Operations, GoApartWhileActivationsAreMoreThanWeights) {
  EXPECT_EQ(operations_apart(network_of({"conv 4 3x3 pad=1", "relu", "maxpool 2x2", "dense 500", "dense 4"})),
            2);
  EXPECT_EQ(operations_apart(network_of({"conv 4 3x3 pad=1", "relu", "globalavgpool", "dense 4"})), 3);
}

TEST(Workspace, AddsTheDiffsOfTwoViewsOfOneOutput) {
  const auto gradient_of = [](const std::string& identity) {
    return run(network_of({"dense 4", "residual {", "branches {", "} and {", identity, "}", "dense 4", "}",
                           "dense 4"}),
               Keep::kResults, 1)
        .gradient;
  };
  EXPECT_EQ(gradient_of("flatten"), gradient_of("upsample 1x1"));
}

TEST(Workspace, OfANetworkOfViewsGivesItsInput) {
  const nn::Network net({4, 1, 1}, layer_texts({"flatten"}), nn::LossKind::kQuadratic, 4);
  const Result result = run(net, Keep::kResults, 1);
  EXPECT_EQ(result.output.size(), static_cast<std::size_t>(2 * 4 * kLanes));
  EXPECT_NE(result.output, std::vector<float>(result.output.size()));
}

TEST(Workspace, HoldsLessThanEveryActivationAndDiffTogether) {
  const kernels::Planner& planner = kernels::float_kernels(kernels::Isa::kPortable).planner;
  for (const Texts& texts : networks()) {
    const nn::Network net = network_of(texts);
    EXPECT_LT(Workspace<float>(net, planner, 16, {.keep = Keep::kResults}).bytes(),
              Workspace<float>(net, planner, 16, {.keep = Keep::kAll}).bytes());
  }
}

}  // namespace
}  // namespace convoy::passes
