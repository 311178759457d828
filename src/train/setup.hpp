#pragma once
// What a run works out, and refuses, before its first step. Private to the train room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/data/dataset.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/sgd.hpp"
#include "convoy/train/options.hpp"

namespace convoy::train {

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// More ranks than micro-batches cannot all work: ConfigError that says which micro-batch would do.
void check_ranks(const Options& options, int ranks);

/// The split to train on; throws DataError where there is none, or an empty one.
[[nodiscard]] const data::Split& training_split(const data::Dataset& dataset, const std::string& file);

/// The network's parameters with their rules for weight decay.
[[nodiscard]] std::vector<optim::ParameterRange> decay_ranges(const nn::Network& network);

/// f: maximal nodes of the tree over `leaves`, on average over the ranks.
[[nodiscard]] double partial_sums_per_rank(std::int64_t leaves, int ranks);

/// A line for the start block: file, samples, classes, shape.
[[nodiscard]] std::string describe_data(const std::string& file, const data::Dataset& dataset);

}  // namespace convoy::train
