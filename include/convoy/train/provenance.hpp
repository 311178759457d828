#pragma once
// Provenance of a checkpoint: machine, program and time. Used by the Trainer and by `convoy doctor`.

#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::train {

/// Collective. Facts that do not change during a run: nodes, ranks, threads and processors, versions,
/// compiler flags and checksum of the program, command line, data set, the batch system's variables. Rank 0's
/// values, the same on every rank, because a collective write needs equal data.
[[nodiscard]] model::Provenance gather_provenance(const comm::Communicator& world,
                                                  const std::string& command_line,
                                                  const std::vector<machine::Placement>& placements,
                                                  const std::string& data_digest);

/// Collective. The current time, the same on every rank: "2026-11-25T21:02:03Z".
[[nodiscard]] std::string time_of_writing(const comm::Communicator& world);

/// Converts to one message (comm/packer.hpp), and back.
[[nodiscard]] std::string packed(const model::Provenance& facts);
[[nodiscard]] model::Provenance unpacked(const std::string& message);

}  // namespace convoy::train
