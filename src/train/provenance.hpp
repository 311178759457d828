#pragma once
// What a checkpoint says of the machine and the moment it was written in. Private to the train room.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/train/checkpoint.hpp"

namespace convoy::train {

/// Collective. Time, hosts, ranks, threads, versions, command line, the batch system's variables, as rank 0
/// has them and the same on every rank: they are written collectively.
[[nodiscard]] Provenance gather_provenance(const comm::Communicator& world, const std::string& command_line,
                                           int threads);

}  // namespace convoy::train
