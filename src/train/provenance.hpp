#pragma once
// What a checkpoint says of the machine and the moment it was written in. Private to the train room.

#include <string>

#include "convoy/train/checkpoint.hpp"

namespace convoy::train {

/// Time, host, ranks, threads, versions, command line, the batch system's variables.
[[nodiscard]] Provenance provenance(const std::string& command_line, int ranks, int threads);

}  // namespace convoy::train
