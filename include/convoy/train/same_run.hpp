#pragma once
// Whether a checkpoint belongs to a run: to go on with it, or to repeat it.

#include <string>
#include <vector>

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/step/engine.hpp"

namespace convoy::train {

/// The split to train on. Throws DataError if it is missing or empty.
[[nodiscard]] const data::Split& training_split(const data::Dataset& dataset, const std::string& file);

/// The same split with its transform and augmentation.
[[nodiscard]] step::Source training_source(const data::Dataset& dataset, const data::Options& options);

/// One difference between the run that wrote a checkpoint and another: key, or what else, and both values.
struct RunDifference {
  std::string what;
  std::string there;
  std::string here;
};

/// All that makes the trajectories of the run that wrote `header` and of a run with `options` differ:
/// network, optimizer, schedule, batch, seed or data.
[[nodiscard]] std::vector<RunDifference> run_differences(const model::CheckpointHeader& header,
                                                         const std::string& path,
                                                         const config::Options& options,
                                                         const std::string& data_digest);

/// Throws ConfigError with the key and both values if there are run_differences(). With `anyway`, throws only
/// if the network, its loss or the batch differ; returns the other differences as text.
std::string require_same_run(const model::CheckpointHeader& header, const std::string& path,
                             const config::Options& options, const std::string& data_digest,
                             bool anyway = false);

}  // namespace convoy::train
