#pragma once
// Runs a command on all ranks of the job, and ends all ranks if one fails (src/CONTRACT.md, "Exit status").

#include <functional>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"

namespace convoy::launch {

/// Starts MPI, runs `body` on every rank with a communicator of all ranks, stops MPI and returns the status
/// of `body`.
///
/// Called by all ranks, after parsing the command line (--help starts no MPI). An exception in `body` is
/// handled here. Each failing rank waits a moment for the others:
///   - all ranks failed (a wrong configuration, a damaged data set, a loss that became NaN): rank 0 prints
///     its message, with rank and node if the messages differ, and every rank returns the status of rank 0;
///   - some ranks did not fail: the failing rank prints its message with rank and node, and ends the whole
///     job with its status.
/// With one rank, it prints the plain message. If ranks are missing (LaunchCheck), the first process prints
/// the problem, and all return kUsage.
[[nodiscard]] ExitStatus run_with_ranks(std::string_view command,
                                        const std::function<ExitStatus(const comm::Communicator&)>& body);

/// Message and exit status for any exception, from Convoy or not.
struct Failure {
  ExitStatus status = ExitStatus::kInputOutput;
  std::string message;
};

/// The Failure of the exception being handled. Precondition: called in a catch block.
[[nodiscard]] Failure current_failure();

/// Prints `convoy <command>: <message>` to standard error.
void print_failure(std::string_view command, std::string_view message);

/// Ends a command that failed before the ranks could communicate, or that needs one rank only: prints the
/// message and returns the status.
///
/// The first process of the launcher prints at once, since the failure is usually the same on all ranks. The
/// others wait a moment first, because srun and mpirun end all processes at the first exit. A process that
/// survives the wait had another failure; then one process per node prints, unless the failure `is_common` by
/// its nature. If the launcher sends SIGTERM meanwhile, this process exits with the status of `failure`, so
/// that the launcher returns it.
[[nodiscard]] ExitStatus end_before_meeting(std::string_view command, const Failure& failure,
                                            bool is_common = false);

}  // namespace convoy::launch
