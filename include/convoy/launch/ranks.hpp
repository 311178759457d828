#pragma once
// Running a command on all ranks of the job, and ending all of them when one fails (src/CONTRACT.md, "Exit
// status").

#include <functional>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"

namespace convoy::launch {

/// Starts MPI, runs `body` on every rank with a communicator of all of them, stops MPI and returns body's
/// status.
///
/// Called by all ranks, after their command lines were parsed (--help starts no MPI). An exception in `body`
/// is handled here. Each failing rank waits a moment for the others:
///   - all ranks failed (a wrong configuration, a damaged data set, a loss that became NaN): rank 0 prints
///   the
///     message of the first of them, naming rank and host where they differ, and every rank returns the same
///     status;
///   - some did not: this rank prints its message with rank and host, and ends the whole job with its status.
/// One rank alone prints the plain message. Where ranks are missing (LaunchCheck)
/// the first process says so, and all return kUsage.
[[nodiscard]] ExitStatus run_with_ranks(std::string_view command,
                                        const std::function<ExitStatus(const comm::Communicator&)>& body);

/// What to print and how to exit for an exception, of Convoy or not.
struct Failure {
  ExitStatus status = ExitStatus::kInputOutput;
  std::string message;
};

/// The Failure of the exception being handled: call it in a catch block.
[[nodiscard]] Failure current_failure();

/// Prints `convoy <command>: <message>` to standard error.
void print_failure(std::string_view command, std::string_view message);

/// Ends a command that failed before it knew the other ranks, or needs none: prints the message and returns
/// the status.
///
/// The launcher's first process speaks for all, who met the same; the others give it a moment, for srun and
/// mpirun end all at the first exit, and then one on each host speaks, which met something else: unless the
/// failure `is_common` by its nature. The launcher's SIGTERM meanwhile ends this process with `failure`'s
/// status, so that the launcher returns it.
[[nodiscard]] ExitStatus end_before_meeting(std::string_view command, const Failure& failure,
                                            bool is_common = false);

}  // namespace convoy::launch
