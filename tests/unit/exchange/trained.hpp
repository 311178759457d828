#pragma once
// A small trained network for the tests of the exchange room.

#include <string>
#include <vector>

#include "convoy/config/config.hpp"
#include "convoy/predict/trained_network.hpp"

namespace convoy::test {

/// A network of `lines` for images of 2x4x4, with values that are all different.
inline predict::TrainedNetwork trained_network(const std::vector<std::string>& lines) {
  config::Options options;
  for (const std::string& line : lines) options.layers.push_back({.text = line, .origin = "test"});
  options.loss = nn::LossKind::kQuadratic;
  options.schedule.lr = 0.1;
  options.optimizer.momentum = 0.9;
  model::CheckpointHeader header;
  header.input = {.shape = {2, 4, 4}, .scale = 1. / 255, .mean = {0.25, 0.5}, .std = {0.5, 0.125}};
  header.class_names = {"ant", "bee"};
  header.config = config::effective_ini(options);
  header.progress.step = 12;
  nn::Network network(header.input.shape, options.layers, options.loss, std::nullopt);
  model::State state = model::make_state(network);
  float next = 0.01F;
  for (float& value : state.parameters) value = next += 0.01F;
  for (float& value : state.statistics) value = next += 0.01F;
  return {std::move(header), std::move(options), std::move(network), std::move(state)};
}

}  // namespace convoy::test
