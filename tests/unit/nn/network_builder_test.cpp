// Networks built in C++: equal to those from text, and rejected for the same reasons.

#include "convoy/nn/network_builder.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/layers/layer_error.hpp"
#include "convoy/passes/workspace.hpp"
#include "unit/layers/layer_run.hpp"

namespace convoy::nn {
namespace {

/// The output of a training pass over two samples of `shape`, with initial values of seed 3.
std::vector<float> output_of(const Network& network) {
  std::vector<float> values(static_cast<std::size_t>(network.parameter_count()));
  std::vector<float> statistics(static_cast<std::size_t>(network.statistic_count()));
  network.initialise(3, values, statistics);
  const std::vector<std::int64_t> samples{5, 9};
  const MicroBatch batch{.samples = samples, .seed = 7, .epoch = 1};
  const auto& kernels = kernels::float_kernels(kernels::Isa::kPortable);
  passes::Workspace<float> workspace(network, kernels.planner, batch.size());
  const auto input = test::to_lanes<float>(spread_numbers(2 * network.input().size(), 1), 2,
                                           network.input().size(), test::IdleLanes::kFirstSample);
  std::copy(input.span().begin(), input.span().end(), workspace.input());
  workspace.forward(kernels, Team(), {values.data(), statistics.data()}, batch);
  return {workspace.output(), workspace.output() + network.classes() * kLanes};
}

void expect_equal(const Network& built, const std::vector<std::string>& texts) {
  std::vector<LayerText> lines;
  for (const std::string& text : texts) lines.push_back({text, "test"});
  const Network read(built.input(), lines, built.loss(), std::nullopt);
  EXPECT_EQ(built.summary(), read.summary());
  for (const auto tensors : {&Network::parameters, &Network::statistics}) {
    ASSERT_EQ((built.*tensors)().size(), (read.*tensors)().size());
    for (std::size_t i = 0; i < (built.*tensors)().size(); ++i) {
      const Tensor& one = (built.*tensors)()[i];
      const Tensor& other = (read.*tensors)()[i];
      EXPECT_EQ(one.layer, other.layer);
      EXPECT_EQ(one.name, other.name);
      EXPECT_EQ(one.dims, other.dims);
      EXPECT_EQ(one.offset, other.offset);
      EXPECT_EQ(one.decays, other.decays);
      EXPECT_EQ(one.momentum, other.momentum);
    }
  }
  std::vector<float> built_values(static_cast<std::size_t>(built.parameter_count()));
  std::vector<float> read_values(built_values.size());
  std::vector<float> built_statistics(static_cast<std::size_t>(built.statistic_count()));
  std::vector<float> read_statistics(built_statistics.size());
  built.initialise(3, built_values, built_statistics);
  read.initialise(3, read_values, read_statistics);
  EXPECT_EQ(built_values, read_values);
  EXPECT_EQ(built_statistics, read_statistics);
  EXPECT_EQ(output_of(built), output_of(read));  // dropout's masks, too
  EXPECT_EQ(built.lines(), texts);
  EXPECT_EQ(read.lines(), texts);
}

TEST(NetworkBuilder, BuildsWhatTheTextBuilds) {
  const Network built = NetworkBuilder({2, 12, 12})
                            .conv(4, {5, 5})
                            .tanh()
                            .maxpool({2, 2})
                            .conv(6, {3, 3}, {.stride = {1, 2}, .pad = {1, 1}, .bias = false}, "second")
                            .sigmoid()
                            .avgpool({2, 2}, {.stride = HeightWidth{1, 1}, .pad = {1, 1}})
                            .flatten()
                            .dropout(0.25)
                            .dense(9, {.bias = false})
                            .relu()
                            .dense(5)
                            .softmax()
                            .build(LossKind::kQuadratic);
  expect_equal(built, {"conv 4 5x5", "tanh", "maxpool 2x2", "conv 6 3x3 stride=1x2 pad=1 bias=no name=second",
                       "sigmoid", "avgpool 2x2 stride=1 pad=1", "flatten", "dropout 0.25", "dense 9 bias=no",
                       "relu", "dense 5", "softmax"});
}

TEST(NetworkBuilder, BuildsBranches) {
  const Network built = NetworkBuilder({3, 6, 6})
                            .begin_branches()
                            .begin_second_branch()
                            .maxpool({2, 2})
                            .begin_branches()
                            .conv(4, {1, 1})
                            .begin_second_branch()
                            .relu()
                            .end_branches()
                            .layer({"upsample 2x2", "test"})
                            .end_branches()
                            .dense(3)
                            .build(LossKind::kSoftmaxCrossEntropy, 3);
  expect_equal(built, {"branches {", "} and {", "maxpool 2x2", "branches {", "conv 4 1x1", "} and {", "relu",
                       "}", "upsample 2x2", "}", "dense 3"});
  EXPECT_EQ(built.shape_of(4), (Shape{7, 6, 6})) << built.summary();
}

TEST(NetworkBuilder, BuildsResidualBlocksWithAndWithoutShortcut) {
  const Network built = NetworkBuilder({3, 6, 6})
                            .begin_residual()
                            .conv(4, {3, 3}, {.pad = {1, 1}})
                            .batchnorm({.eps = 1e-3, .momentum = 0.01})
                            .begin_shortcut()
                            .conv(4, {1, 1}, {.bias = false})
                            .batchnorm()
                            .end_residual()
                            .relu()
                            .begin_residual()
                            .begin_residual()
                            .dropout(0.5)
                            .end_residual()
                            .relu()
                            .end_residual()
                            .dropout(0.5)
                            .globalavgpool()
                            .dense(3)
                            .build(LossKind::kSoftmaxCrossEntropy, 3);
  expect_equal(built, {"residual {", "conv 4 3x3 pad=1", "batchnorm eps=0.001 momentum=0.01", "} shortcut {",
                       "conv 4 1x1 bias=no", "batchnorm", "}", "relu", "residual {", "residual {",
                       "dropout 0.5", "}", "relu", "}", "dropout 0.5", "globalavgpool", "dense 3"});
}

TEST(NetworkBuilder, TakesALayerMadeElsewhere) {
  NetworkBuilder builder({1, 4, 4});
  builder.dense(6);
  builder.add(make_layer("dense 3", builder.shape()), "mine");
  const Network network = builder.build(LossKind::kQuadratic);
  EXPECT_EQ(network.nodes()[1].name, "mine1");
  EXPECT_EQ(network.nodes()[1].layer->description(), "dense 3");
  EXPECT_EQ(network.lines(), (std::vector<std::string>{"dense 6", "dense 3 name=mine1"}));
}

TEST(NetworkBuilder, IsWithoutLayersAfterBuilding) {
  NetworkBuilder builder({1, 4, 4});
  (void)builder.dense(6).build(LossKind::kQuadratic);
  EXPECT_EQ(builder.shape(), (Shape{1, 4, 4}));
  EXPECT_THROW((void)builder.build(LossKind::kQuadratic), ConfigError);
}

template <class Build>
std::string error_of(Build&& build) {
  NetworkBuilder builder({1, 8, 8});
  try {
    build(builder);
  } catch (const LayerError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no LayerError";
  return {};
}

TEST(NetworkBuilder, NamesTheLayerThatIsWrongAndTheCause) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {error_of([](auto& builder) {
         builder.conv(4, {3, 3}).conv(4, {9, 9});
       }),
       "layer 'conv2': the window 9x9 is larger than its padded input of 6x6"},
      {error_of([](auto& builder) {
         builder.conv(0, {3, 3});
       }),
       "layer 'conv1': the number of output channels is not from 1 to 1048576"},
      {error_of([](auto& builder) {
         builder.conv(1, {3, 3}, {.stride = {0, 1}});
       }),
       "layer 'conv1': stride is not from 1 to 65535"},
      {error_of([](auto& builder) {
         builder.maxpool({2, 2}, {.pad = {2, 0}}, "pool");
       }),
       "layer 'pool': pad is more than half the window"},
      {error_of([](auto& builder) { builder.dense(-1); }),
       "layer 'dense1': the number of outputs is not from 1 to 16777216"},
      {error_of([](auto& builder) { builder.dropout(1); }),
       "layer 'dropout1': the rate is not from 0 to below 1"},
      {error_of([](auto& builder) { builder.batchnorm({.momentum = 2}); }),
       "layer 'batchnorm1': momentum is not from 0 to 1"},
      {error_of([](auto& builder) { builder.softmax(); }), "layer 'softmax1': its input is an image"},
      {error_of([](auto& builder) { builder.relu("a/b"); }), "layer 'a/b': the name 'a/b' is wrong"},
      {error_of([](auto& builder) { builder.relu("a").relu("a"); }),
       "layer 'a': the name 'a' is taken by an earlier layer"},
      {error_of([](auto& builder) { builder.begin_residual().end_residual(); }),
       "the residual block is empty"},
      {error_of([](auto& builder) { builder.end_residual(); }), "closes no residual block"},
      {error_of([](auto& builder) { builder.relu().begin_shortcut(); }), "outside a residual block"},
      {error_of([](auto& builder) {
         builder.begin_residual().conv(2, {1, 1}).end_residual();
       }),
       "layer 'add1': the body gives 2x8x8 and the shortcut 1x8x8"},
      {error_of([](auto& builder) { builder.begin_branches().relu().end_branches(); }),
       "the second branch is missing"},
      {error_of([](auto& builder) { builder.begin_branches().begin_second_branch().end_branches(); }),
       "both branches are empty"},
      {error_of([](auto& builder) {
         builder.begin_branches().maxpool({2, 2}).begin_second_branch().end_branches();
       }),
       "layer 'concat1': the branches give 1x4x4 and 1x8x8"},
      {error_of([](auto& builder) {
         builder.begin_branches().begin_second_branch().relu().begin_second_branch();
       }),
       "there are two branches already"},
      {error_of([](auto& builder) { builder.begin_branches().relu().begin_shortcut(); }),
       "a shortcut begins outside a residual block"},
      {error_of([](auto& builder) { builder.begin_residual().relu().begin_second_branch(); }),
       "a second branch begins outside branches"},
      {error_of([](auto& builder) { builder.begin_residual().relu().end_branches(); }), "closes no branches"},
      {error_of([](auto& builder) { builder.end_block(); }), "closes no block"},
      {error_of([](auto& builder) { (void)builder.begin_residual().relu().build(LossKind::kQuadratic); }),
       "a block is never closed"},
      {error_of([](auto& builder) { (void)builder.dense(9).build(LossKind::kQuadratic, 10); }),
       "layer 'dense1': the network ends with 9 outputs"},
      {error_of([](auto& builder) {
         (void)builder.dense(9).sigmoid("last").build(LossKind::kSigmoidCrossEntropy);
       }),
       "layer 'last': stands right before the loss sigmoid-cross-entropy"},
  };
  for (const auto& [message, fragment] : cases)
    EXPECT_NE(message.find(fragment), std::string::npos) << "want: " << fragment << "\ngot:  " << message;
}

TEST(NetworkBuilder, RefusesClassWeightsThatAreNotOneForEachOutput) {
  LossFunction loss(LossKind::kSoftmaxCrossEntropy);
  loss.class_weights = {1, 2};
  try {
    (void)NetworkBuilder({1, 2, 2}).dense(9).build(loss);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(
        std::string(error.what()).find("network.class-weights has 2 numbers (the network has 9 outputs"),
        std::string::npos)
        << error.what();
  }
  EXPECT_NO_THROW((void)NetworkBuilder({1, 2, 2}).dense(2).build(loss));
}

TEST(NetworkBuilder, TakesALayerByItsLineToo) {
  const Network built = NetworkBuilder({3, 8, 8})
                            .layer({"conv 4 3x3 pad=1 name=first", "here"})
                            .layer({"dropout 0.5", "here"})
                            .dense(3)
                            .build(LossKind::kSoftmaxCrossEntropy);
  expect_equal(built, {"conv 4 3x3 pad=1 name=first", "dropout 0.5", "dense 3"});
  EXPECT_THROW((void)NetworkBuilder({3, 8, 8}).layer({"conv 4", "here"}), ConfigError);
}

}  // namespace
}  // namespace convoy::nn
