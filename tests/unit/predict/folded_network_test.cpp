#include "convoy/predict/folded_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "convoy/data/noise.hpp"
#include "convoy/predict/inference.hpp"

namespace convoy::predict {
namespace {

nn::Network network_of(const std::vector<std::string>& lines, const Shape& input = {3, 9, 9}) {
  std::vector<nn::LayerText> texts;
  for (const std::string& line : lines) texts.push_back({.text = line, .origin = "test"});
  return {input, texts, nn::LossKind::kQuadratic, std::nullopt};
}

/// Initial weights, and statistics and parameters of batch normalisations that are no identity.
model::State state_of(const nn::Network& network) {
  model::State state = model::make_state(network);
  network.initialise(5, state.parameters, state.statistics);
  for (const nn::Tensor& tensor : network.parameters())
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      if (tensor.layer.starts_with("batchnorm") || tensor.name == "bias")
        state.parameters[static_cast<std::size_t>(tensor.offset + i)] += 0.1F * static_cast<float>(i % 7);
  for (std::size_t i = 0; i < state.statistics.size(); ++i)
    state.statistics[i] += 0.05F * static_cast<float>(i % 5);
  return state;
}

/// Outputs of 37 images of noise.
std::vector<float> outputs_of(const nn::Network& network, const model::State& state, int threads = 1,
                              std::int64_t micro_batch = 16) {
  const data::Split split = data::make_noise(network.input(), 37, 2);
  step::Engine engine(network, {.kernels = kernels::float_kernels(kernels::choose_isa()),
                                .threads = threads,
                                .micro_batch = micro_batch});
  std::vector<float> outputs(static_cast<std::size_t>(37 * network.classes()));
  std::vector<step::MicroBatchResult> leaves(static_cast<std::size_t>((37 + micro_batch - 1) / micro_batch));
  engine.evaluate({.split = &split, .transform = data::noise_transform(network.input())}, nullptr, state,
                  {0, static_cast<std::int64_t>(leaves.size())}, leaves, outputs);
  return outputs;
}

const std::vector<std::string> kBlocks{"conv 8 3x3 pad=1 bias=no",
                                       "batchnorm eps=0.01",
                                       "relu",
                                       "residual {",
                                       "conv 8 3x3 pad=1 name=mine",
                                       "batchnorm name=norm",
                                       "} shortcut {",
                                       "conv 8 1x1 bias=no",
                                       "batchnorm",
                                       "}",
                                       "tanh",
                                       "residual {",
                                       "batchnorm",
                                       "}",
                                       "dropout 0.5",
                                       "maxpool 3x3",
                                       "dense 6 bias=no",
                                       "batchnorm",
                                       "sigmoid",
                                       "dense 4"};

TEST(FoldedNetwork, GivesTheOutputsWithoutTheNormalisationsThatFollowWeights) {
  const nn::Network network = network_of(kBlocks);
  const model::State state = state_of(network);
  const FoldedNetwork folded = fold_batch_normalization(network, state);
  std::vector<std::string> norms;
  for (const nn::Node& node : folded.network.nodes())
    if (node.layer->keyword() == "batchnorm") norms.push_back(node.name);
  EXPECT_EQ(norms, (std::vector<std::string>{"batchnorm3"}));  // the block's input is read twice
  const std::vector<float> expected = outputs_of(network, state);
  const std::vector<float> found = outputs_of(folded.network, folded.state);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-5) << i;
}

TEST(FoldedNetwork, OfANetworkWithoutNormalisationIsTheSame) {
  const nn::Network network = network_of({"conv 4 3x3", "relu", "dense 3"});
  const model::State state = state_of(network);
  const FoldedNetwork folded = fold_batch_normalization(network, state);
  EXPECT_EQ(folded.network.lines(), network.lines());
  EXPECT_TRUE(std::ranges::equal(folded.state.parameters, state.parameters));
}

TEST(Inference, GivesTheSameBitsInAnyMicroBatchAndOnAnyThreadsInLessMemory) {
  const nn::Network network = network_of(kBlocks);
  const model::State state = state_of(network);
  const auto folded = std::make_shared<const FoldedNetwork>(fold_batch_normalization(network, state));
  const data::Split split = data::make_noise(network.input(), 37, 2);
  const std::vector<float> expected = outputs_of(folded->network, folded->state);
  for (const int threads : {1, 3}) {
    for (const std::int64_t micro_batch : {1, 16, 64}) {
      Inference inference(folded, kernels::choose_isa(), Precision::kFloat32, threads, micro_batch);
      std::vector<float> found(expected.size());
      inference.answer(split, data::noise_transform(network.input()), found);
      EXPECT_EQ(found, expected) << threads << " threads, micro-batch " << micro_batch;
      step::Engine training(folded->network, {.kernels = kernels::float_kernels(kernels::choose_isa()),
                                              .threads = threads,
                                              .micro_batch = micro_batch});
      Inference fresh(folded, kernels::choose_isa(), Precision::kFloat32, threads, micro_batch);
      training.prepare_evaluation(1);
      fresh.engine().prepare_evaluation(1);
      EXPECT_LT(fresh.engine().workspace_bytes(), training.workspace_bytes());
    }
  }
}

}  // namespace
}  // namespace convoy::predict
