#include "convoy/nn/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "convoy/core/error.hpp"

namespace convoy::nn {
namespace {

std::vector<LayerText> lines_of(const std::vector<std::string>& texts) {
  std::vector<LayerText> lines;
  for (std::size_t i = 0; i < texts.size(); ++i)
    lines.push_back({texts[i], "net.ini:" + std::to_string(i + 1)});
  return lines;
}

Network network(const std::vector<std::string>& texts, const Shape& input = {1, 8, 8},
                std::int64_t classes = 10, LossKind loss = LossKind::kSoftmaxCrossEntropy) {
  return Network(input, lines_of(texts), loss, classes);
}

std::string error_of(const std::vector<std::string>& texts, LossKind loss = LossKind::kSoftmaxCrossEntropy) {
  try {
    (void)network(texts, {1, 8, 8}, 10, loss);
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError";
  return {};
}

TEST(Network, WantsNoDiffOfItsInputNorOfAViewOfIt) {
  const Network net = network({"flatten", "dense 20", "flatten", "dense 10"});
  EXPECT_FALSE(net.wants_diff(kNetworkInput));
  EXPECT_FALSE(net.wants_diff(0));
  EXPECT_TRUE(net.wants_diff(1));
  EXPECT_TRUE(net.wants_diff(2));  // a view, but of a layer's output
}

TEST(Network, EveryWrongNetworkIsRefusedWithItsLineAndCause) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "the network has no layer"},
      {{"dens 10"},
       "net.ini:1: layer 'dens 10': unknown keyword 'dens' (known: adaptiveavgpool, avgpool, batchnorm, "
       "conv"},
      {{"conv 4 9x9", "dense 10"},
       "net.ini:1: layer 'conv 4 9x9': the window 9x9 is larger than its padded input of 8x8"},
      {{"maxpool 2x2 pad=2", "dense 10"}, "pad is more than half the window"},
      {{"conv 4 3x3 bias=maybe", "dense 10"}, "option bias='maybe' is wrong"},
      {{"conv 4 3x3 padding=1", "dense 10"}, "unknown option 'padding' (right: conv CHANNELS KHxKW"},
      {{"relu 3", "dense 10"}, "'3' is one word too many (right: relu)"},
      {{"softmax", "dense 10"}, "its input is an image of 1x8x8"},
      {{"dropout 1", "dense 10"}, "the rate '1' is wrong"},
      {{"dense 9"},
       "net.ini:1: layer 'dense 9': the network ends with 9 outputs, but the data set wants 10 (classes, "
       "with labels up to 9); a last layer 'dense 10' would fit"},
      {{"dense 10", "softmax"},
       "net.ini:2: layer 'softmax': stands right before the loss softmax-cross-entropy"},
      {{"dense 10", "sigmoid"},
       "net.ini:2: layer 'sigmoid': stands right before the loss softmax-cross-entropy"},
      {{"dense 10 name=a", "dense 10 name=a"},
       "net.ini:2: layer 'dense 10 name=a': the name 'a' is taken by an earlier"},
      {{"dense 10 name=a/b"}, "the name 'a/b' is wrong"},
      {{"dense 10 name=.."}, "the name '..' is wrong"},
      {{"residual {", "}", "dense 10"}, "net.ini:2: layer '}': the residual block is empty"},
      {{"residual {", "} shortcut {", "relu", "}", "dense 10"},
       "net.ini:2: layer '} shortcut {': the residual block is empty"},
      {{"residual {", "conv 4 3x3 pad=1", "}", "dense 10"},
       "net.ini:3: layer '}': the body gives 4x8x8 and the shortcut 1x8x8"},
      {{"residual {", "relu", "dense 10"}, "net.ini:1: layer 'residual {': the block is never closed"},
      {{"}", "dense 10"}, "net.ini:1: layer '}': closes no block"},
      {{"branches", "relu", "}", "dense 10"}, "net.ini:1: layer 'branches': is not 'residual {'"},
      {{"branches {", "relu", "dense 10"}, "net.ini:1: layer 'branches {': the block is never closed"},
      {{"branches {", "relu", "}", "dense 10"}, "net.ini:3: layer '}': the second branch is missing"},
      {{"upsample 0x2", "dense 10"}, "net.ini:1: layer 'upsample 0x2': "},
      {{"upsample 300x2", "dense 10"}, "net.ini:1: layer 'upsample 300x2': the factor is not from 1 to 256"},
      {{"gate {", "}", "dense 10"}, "net.ini:2: layer '}': the gate is empty"},
      {{"conv 4 3x3", "gate {", "globalavgpool", "dense 3", "}", "dense 10"},
       "net.ini:5: layer '}': the gate gives 3 for an input of 4x"},
      {{"gate {", "relu", "} and {", "relu", "}"},
       "net.ini:3: layer '} and {': a second branch begins outside branches"},
      {{"conv 4 3x3", "conv 6 3x3 groups=3", "dense 10"},
       "net.ini:2: layer 'conv 6 3x3 groups=3': groups=3 does not divide the 4 input channels"},
      {{"conv 4 3x3 dilation=20", "dense 10"}, "the window 3x3, with dilation 41x41, is larger than"},
      {{"conv 4 3x3 dilation=0", "dense 10"}, "net.ini:1: layer 'conv 4 3x3 dilation=0': "},
      {{"conv 4 3x3", "groupnorm 3", "dense 10"},
       "net.ini:2: layer 'groupnorm 3': 3 groups do not divide the 4 channels"},
      {{"globalavgpool", "instancenorm", "dense 10"},
       "net.ini:2: layer 'instancenorm': a group has a single value"},
      {{"adaptiveavgpool 99x2", "dense 10"}, "the output of 99x2 is not from 1x1 to its input"},
      {{"leakyrelu slope=-1", "dense 10"}, "net.ini:1: layer 'leakyrelu slope=-1': "},
      {{"conv 4 3x3 init=nice", "dense 10"},
       "option init='nice' is wrong (it takes one of auto, he, glorot, lecun, orthogonal, dirac, zero)"},
      {{"batchnorm scale=no init=zero", "dense 10"},
       "init=zero is for the weight, which scale=no leaves out"},
      {{"scale 1e9", "dense 10"}, "net.ini:1: layer 'scale 1e9': "},
      {{"residual", "relu", "}", "dense 10"}, "net.ini:1: layer 'residual': is not 'residual {'"},
      {{"residual {", "relu", "} else {", "relu", "}", "dense 10"},
       "net.ini:3: layer '} else {': is not 'residual {'"},
      {{"residual {", "relu", "} shortcut {", "relu", "} shortcut {", "relu", "}", "dense 10"},
       "net.ini:5: layer '} shortcut {': the residual block has a shortcut already"},
  };
  for (const auto& [texts, fragment] : cases) {
    const std::string message = error_of(texts);
    EXPECT_NE(message.find(fragment), std::string::npos) << "want: " << fragment << "\ngot:  " << message;
  }
}

TEST(Network, RefusesALayerThatNoMachineCanCompute) {
  try {
    const nn::Network network({1, 30000, 30000}, {{"conv 16 1x30001 pad=0x15000", "a.ini:1"}},
                              LossKind::kQuadratic, std::nullopt);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("more than 1e14 multiplications"), std::string::npos)
        << error.what();
  }
}

TEST(Network, ItsSummaryNamesWhatIsNotADefault) {
  const std::string summary =
      network({"conv 2 3x3 stride=1 pad=1x0", "batchnorm eps=0.001", "dense 10"}).summary();
  EXPECT_NE(summary.find("conv 2 3x3 pad=1x0 "), std::string::npos) << summary;
  EXPECT_NE(summary.find("batchnorm eps=0.001 "), std::string::npos) << summary;
}

TEST(Network, ASigmoidMayStandBeforeTheQuadraticLoss) {
  EXPECT_EQ(network({"dense 10", "sigmoid"}, {1, 8, 8}, 10, LossKind::kQuadratic).classes(), 10);
}

TEST(Network, NamesLayersByKeywordAndCountThroughResidualBlocks) {
  const Network net = network({"conv 2 3x3 pad=1", "residual {", "conv 2 3x3 pad=1", "batchnorm name=bn",
                               "} shortcut {", "conv 2 1x1", "batchnorm", "}", "dense 10"});
  std::vector<std::string> names;
  for (const Node& node : net.nodes()) names.push_back(node.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv1", "conv2", "bn", "conv3", "batchnorm1", "add1", "dense1"}));
  EXPECT_EQ(net.nodes()[5].inputs, (std::vector<int>{2, 4}));
  EXPECT_EQ(net.nodes()[3].inputs, std::vector<int>{0});
}

TEST(Network, ParametersLieOneAfterTheOtherAndStatisticsFollowInTheGradient) {
  const Network net = network({"conv 3 3x3", "batchnorm", "dense 10"});
  const std::vector<std::int64_t> sizes{27, 3, 3, 3, 10 * 3 * 36, 10};
  ASSERT_EQ(net.parameters().size(), sizes.size());
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(net.parameters()[i].offset, offset);
    EXPECT_EQ(net.parameters()[i].size(), sizes[i]);
    offset += sizes[i];
  }
  EXPECT_EQ(net.parameter_count(), offset);
  EXPECT_EQ(net.statistic_count(), 6);
  EXPECT_EQ(net.gradient_size(), offset + 6);
  // Weight decay: only weights of conv and dense.
  std::vector<bool> decays;
  for (const Tensor& tensor : net.parameters()) decays.push_back(tensor.decays);
  EXPECT_EQ(decays, (std::vector<bool>{true, false, false, false, true, false}));
}

/// Mean square and largest of a tensor's initial values.
struct Spread {
  double mean_square = 0;
  double largest = 0;
};

Spread spread_of(const Network& net, std::size_t tensor, std::uint64_t seed = 5) {
  std::vector<float> parameters(static_cast<std::size_t>(net.parameter_count()));
  std::vector<float> statistics(static_cast<std::size_t>(net.statistic_count()));
  net.initialise(seed, parameters, statistics);
  const Tensor& which = net.parameters()[tensor];
  Spread spread;
  for (std::int64_t i = which.offset; i < which.offset + which.size(); ++i) {
    const double value = static_cast<double>(parameters[static_cast<std::size_t>(i)]);
    spread.mean_square += value * value / static_cast<double>(which.size());
    spread.largest = std::max(spread.largest, std::abs(value));
  }
  return spread;
}

// conv 40 5x5 on 4 channels: 4,000 weights, fan_in 100, fan_out 1,000. A normal's mean square over n draws
// has a relative deviation of √(2/n) = 0.022, a uniform's √(0.8/n) = 0.014: five deviations are 0.11 and
// 0.07.
void expect_he(const std::vector<std::string>& after) {
  std::vector<std::string> lines{"conv 40 5x5 pad=2"};
  lines.insert(lines.end(), after.begin(), after.end());
  const Spread spread = spread_of(network(lines, {4, 8, 8}), 0);
  EXPECT_NEAR(spread.mean_square / (2. / 100), 1, 0.11) << after.front();
  EXPECT_GT(spread.largest, 3 * std::sqrt(2. / 100)) << "a normal has tails";
}

void expect_glorot(const std::vector<std::string>& after) {
  std::vector<std::string> lines{"conv 40 5x5 pad=2"};
  lines.insert(lines.end(), after.begin(), after.end());
  const double bound = std::sqrt(6. / (100 + 1000));
  const Spread spread = spread_of(network(lines, {4, 8, 8}), 0);
  EXPECT_NEAR(spread.mean_square / (bound * bound / 3), 1, 0.07) << after.front();
  EXPECT_LE(spread.largest, bound * (1 + 0x1p-23)) << after.front();
}

TEST(Initialise, IsHeBeforeReluAlsoThroughBatchnormPoolingDropoutAndResidual) {
  expect_he({"relu", "dense 10"});
  expect_he({"batchnorm", "relu", "dense 10"});
  expect_he({"maxpool 2x2", "dropout 0.5", "relu", "dense 10"});
  expect_he({"residual {", "batchnorm", "}", "relu", "dense 10"});
}

TEST(Initialise, IsGlorotBeforeSigmoidTanhAndNothing) {
  expect_glorot({"sigmoid", "dense 10"});
  expect_glorot({"batchnorm", "tanh", "dense 10"});
  expect_glorot({"dense 10", "relu"});
}

TEST(Initialise, StartsBiasesAtZeroAndBatchnormAtOneAndZero) {
  const Network net = network({"conv 3 3x3", "batchnorm", "dense 10"});
  std::vector<float> parameters(static_cast<std::size_t>(net.parameter_count()), 9);
  std::vector<float> statistics(6, 9);
  net.initialise(1, parameters, statistics);
  for (const auto& [tensor, value] :
       std::vector<std::pair<std::size_t, float>>{{1, 0}, {2, 1}, {3, 0}, {5, 0}}) {
    const auto first = parameters.begin() + net.parameters()[tensor].offset;
    EXPECT_EQ(std::vector<float>(first, first + net.parameters()[tensor].size()),
              std::vector<float>(static_cast<std::size_t>(net.parameters()[tensor].size()), value));
  }
  EXPECT_EQ(statistics, (std::vector<float>{0, 0, 0, 1, 1, 1}));
}

/// The first tensor after initialise().
std::vector<float> first_tensor(const std::vector<std::string>& lines, const Shape& input,
                                std::uint64_t seed = 1) {
  const Network net = network(lines, input);
  std::vector<float> parameters(static_cast<std::size_t>(net.parameter_count()), 9);
  std::vector<float> statistics(static_cast<std::size_t>(net.statistic_count()));
  net.initialise(seed, parameters, statistics);
  parameters.resize(static_cast<std::size_t>(net.parameters().front().size()));
  return parameters;
}

// Whatever follows: before relu "auto" would be He's, before nothing Glorot's.
TEST(Initialise, OfALayerIsWhatItsLineSays) {
  const Shape input{100, 1, 1};
  const auto mean_square = [&](const std::string& layer, const char* next) {
    const std::vector<float> values = first_tensor({layer, next, "dense 10"}, input);
    return std::inner_product(values.begin(), values.end(), values.begin(), 0.) /
           static_cast<double>(values.size());
  };
  constexpr double kSpread = 0.05;  // of 30,000 squares: five deviations of normal ones
  EXPECT_NEAR(mean_square("dense 300 init=he", "tanh") / (2. / 100), 1, kSpread);
  EXPECT_NEAR(mean_square("dense 300 init=glorot", "relu") / (2. / 400), 1, kSpread);
  EXPECT_NEAR(mean_square("dense 300 init=lecun", "relu") / (1. / 100), 1, kSpread);
  EXPECT_EQ(mean_square("dense 300 init=zero", "relu"), 0);
}

TEST(Initialise, OrthogonalRowsOrColumnsAreOrthonormal) {
  for (const std::int64_t outputs : {20, 60, 90}) {
    const std::vector<float> w = first_tensor(
        {"dense " + std::to_string(outputs) + " init=orthogonal", "relu", "dense 10"}, {60, 1, 1});
    const bool rows = outputs <= 60;
    const std::int64_t vectors = std::min<std::int64_t>(outputs, 60);
    const std::int64_t size = std::max<std::int64_t>(outputs, 60);
    const auto at = [&](std::int64_t i, std::int64_t k) {
      return static_cast<double>(w[static_cast<std::size_t>(rows ? i * 60 + k : k * 60 + i)]);
    };
    for (std::int64_t i = 0; i < vectors; ++i)
      for (std::int64_t j = 0; j <= i; ++j) {
        double product = 0;
        for (std::int64_t k = 0; k < size; ++k) product += at(i, k) * at(j, k);
        ASSERT_NEAR(product, i == j ? 1 : 0, 1e-6) << outputs << " outputs, " << i << ", " << j;
      }
  }
}

TEST(Initialise, DiracIsTheIdentityOfTheFirstChannelsOfAGroup) {
  const std::vector<float> few = first_tensor({"conv 2 3x3 init=dirac", "relu", "dense 10"}, {3, 8, 8});
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i], i == 4 || i == 27 + 9 + 4 ? 1 : 0) << i;
  // Two groups of 2 inputs and 3 outputs; the third output of each is random.
  const std::vector<float> many =
      first_tensor({"conv 6 1x1 groups=2 init=dirac", "relu", "dense 10"}, {4, 8, 8});
  EXPECT_EQ(std::vector<float>(many.begin(), many.begin() + 4), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(std::vector<float>(many.begin() + 6, many.begin() + 10), (std::vector<float>{1, 0, 0, 1}));
  for (const std::size_t i : {4, 5, 10, 11}) EXPECT_NE(many[i], 0) << i;
}

TEST(Initialise, ABatchnormMayStartAtZero) {
  EXPECT_EQ(first_tensor({"batchnorm init=zero", "dense 10"}, {3, 8, 8}), (std::vector<float>{0, 0, 0}));
}

TEST(Initialise, IsAFunctionOfTheSeedAndDiffersBetweenLayers) {
  const Network net = network({"dense 64", "dense 64", "dense 10"}, {64, 1, 1});
  EXPECT_EQ(spread_of(net, 0, 5).mean_square, spread_of(net, 0, 5).mean_square);
  EXPECT_NE(spread_of(net, 0, 5).mean_square, spread_of(net, 0, 6).mean_square);
  EXPECT_NE(spread_of(net, 0, 5).mean_square, spread_of(net, 2, 5).mean_square);
}

}  // namespace
}  // namespace convoy::nn
