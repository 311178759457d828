#pragma once
// What a run works out, and refuses, before its first step. Private to the train room.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/train/engine.hpp"
#include "convoy/train/options.hpp"
#include "convoy/train/placement.hpp"
#include "convoy/train/step_plan.hpp"

namespace convoy::train {

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Collective. Median seconds of a step(), the same on all ranks: it is called for about `seconds`, five
/// times at least.
[[nodiscard]] double median_step(const comm::Communicator& world, double seconds,
                                 const std::function<void()>& step);

/// More ranks than micro-batches cannot all work: ConfigError that says which micro-batch would do.
void check_ranks(const Options& options, int ranks);

/// The split to train on; throws DataError where there is none, or an empty one.
[[nodiscard]] const data::Split& training_split(const data::Dataset& dataset, const std::string& file);

/// What to warn about before the first step: of the data, of the places of ranks, of what costs bits.
[[nodiscard]] std::vector<std::string> start_warnings(const Options& options, const data::Dataset& dataset,
                                                      const std::vector<Placement>& placements);

/// Bytes of memory this process holds now (resident set, Linux); 0 where the system does not say.
[[nodiscard]] std::int64_t resident_bytes();

/// A line for the start block: file, samples, classes, shape.
[[nodiscard]] std::string describe_data(const std::string& file, const data::Dataset& dataset);

}  // namespace convoy::train
