#pragma once
// Common code of the commands that make a data set file (import, synth): progress, and a clean stop at a
// signal.

#include <functional>
#include <string>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/dataset_file/observer.hpp"

namespace convoy::apps {

/// Prints the final message of a command, on rank 0.
using Say = std::function<void(const std::string&)>;

/// Makes a data set: `make` runs on every rank, with a communicator of all ranks. Without a launcher MPI is
/// not started. After SIGINT, SIGTERM, SIGHUP or SIGUSR2 the observer requests a stop; a second SIGINT ends
/// the process at once.
[[nodiscard]] ExitStatus make_dataset(
    std::string_view command,
    const std::function<void(const comm::Communicator& world, importers::Observer& observer, const Say& say)>&
        make);

/// The same for one rank: rank 0 runs `make`, the others wait.
[[nodiscard]] ExitStatus make_dataset_alone(
    std::string_view command, const std::function<void(importers::Observer& observer, const Say& say)>& make);

}  // namespace convoy::apps
