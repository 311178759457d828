#pragma once
// Decides from which checkpoint a run resumes, and whether it may. Private to the train room.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/train/run_directory.hpp"
#include "convoy/train/trainer.hpp"

namespace convoy::train {

/// Collective. The intact checkpoint from which `launch` resumes; empty: from the start. If the newest one is
/// damaged, warns and uses the one before it. Throws ConfigError if run.dir holds checkpoints and `launch`
/// does not resume, or if the named checkpoint does not exist; DataError if the named one is damaged.
[[nodiscard]] std::string find_resume_point(const comm::Communicator& world, const Launch& launch,
                                            const RunDirectory& directory, Observer& listener);

/// Starts a branch from checkpoint `from` of step `step`, with these differences: warns about them, or throws
/// ConfigError if run.dir holds newer intact checkpoints, which belong to the run before the branch.
void begin_branch(const RunDirectory& directory, const std::string& from, std::int64_t step,
                  const std::string& differences, Observer& listener);

/// Throws ConfigError if `progress` is not a position of a run with `steps_per_epoch` steps per epoch.
void require_position(const model::Progress& progress, const std::string& path, std::int64_t steps_per_epoch);

}  // namespace convoy::train
