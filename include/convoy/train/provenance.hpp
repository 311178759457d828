#pragma once
// What a checkpoint says of the machine and the moment it was written in. Private to the train room.

#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::train {

/// Collective. What stays as it is during a run: hosts, ranks, threads and processors, versions, flags and
/// sum of the program, command line, data set, the batch system's variables; as rank 0 has them and the same
/// on every rank, since they may be written collectively.
[[nodiscard]] model::Provenance gather_provenance(const comm::Communicator& world,
                                                  const std::string& command_line,
                                                  const std::vector<machine::Placement>& placements,
                                                  const std::string& data_digest);

/// Collective. The time now, the same on every rank: "2026-11-25T21:02:03Z".
[[nodiscard]] std::string time_of_writing(const comm::Communicator& world);

/// As one string, for messages, and back: name, value, name, value, …, each ended by a zero byte.
[[nodiscard]] std::string packed(const model::Provenance& facts);
[[nodiscard]] model::Provenance unpacked(const std::string& text);

}  // namespace convoy::train
