#pragma once
// What a run says of its data and warns about before its first step. Private to the train room.

#include <string>
#include <vector>

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/machine/placement.hpp"

namespace convoy::train {

/// The split to train on; throws DataError where there is none, or an empty one.
[[nodiscard]] const data::Split& training_split(const data::Dataset& dataset, const std::string& file);

/// What to warn about before the first step: of the data, of the places of ranks, of what costs bits.
[[nodiscard]] std::vector<std::string> start_warnings(const config::Options& options,
                                                      const data::Dataset& dataset,
                                                      const std::vector<machine::Placement>& placements);

/// A line for the start block: file, samples, classes, shape.
[[nodiscard]] std::string describe_data(const std::string& file, const data::Dataset& dataset);

}  // namespace convoy::train
