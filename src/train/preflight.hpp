#pragma once
// Describes a run's data and collects warnings before the first step. Private to the train room.

#include <string>
#include <vector>

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/machine/placement.hpp"

namespace convoy::train {

/// Warnings before the first step: on data, placement of ranks, and options that change bits.
[[nodiscard]] std::vector<std::string> start_warnings(const config::Options& options,
                                                      const data::Dataset& dataset,
                                                      const std::vector<machine::Placement>& placements);

/// One line for the start report: file, samples, classes, shape.
[[nodiscard]] std::string describe_data(const std::string& file, const data::Dataset& dataset);

}  // namespace convoy::train
