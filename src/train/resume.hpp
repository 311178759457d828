#pragma once
// Where a run goes on from, and whether it may. Private to the train room.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/train/run_directory.hpp"
#include "convoy/train/trainer.hpp"

namespace convoy::train {

/// Collective. The sound checkpoint `launch` asks to go on from; empty: from the start. A damaged newest one
/// is said so (a warning) and the one before it taken. Throws ConfigError where run.dir holds checkpoints and
/// nobody asked to resume, or the named checkpoint does not exist; DataError where the named one is damaged.
[[nodiscard]] std::string find_resume_point(const comm::Communicator& world, const Launch& launch,
                                            const RunDirectory& directory, Observer& listener);

/// Throws ConfigError, naming the key and both values, where the run that wrote `header` and `options` would
/// not have the same trajectory: network, optimizer, schedule, batch, seed or data differ. With `anyway` only
/// where the network, its loss or the batch do; the other differences are returned, for people.
std::string require_same_run(const model::CheckpointHeader& header, const std::string& path,
                             const config::Options& options, const std::string& data_digest,
                             bool anyway = false);

/// A run goes on from `from`, of `step`, with these differences: says so, or throws ConfigError where run.dir
/// holds newer sound checkpoints, which are of the run so far.
void begin_branch(const RunDirectory& directory, const std::string& from, std::int64_t step,
                  const std::string& differences, Observer& listener);

/// Throws ConfigError where `progress` is no position of a run with so many steps an epoch.
void require_position(const model::Progress& progress, const std::string& path, std::int64_t steps_per_epoch);

}  // namespace convoy::train
