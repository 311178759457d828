#pragma once
// Reads from the environment, before MPI starts, how this process was started (mpirun, srun, flux, or no
// launcher), and checks whether MPI agrees. Used by run_with_ranks() and by commands that must not run on
// several ranks.

#include <cstdint>
#include <string>
#include <string_view>

#include "convoy/core/problem.hpp"

namespace convoy::launch {

/// Number of processes started by the launcher; 1 without a launcher.
[[nodiscard]] std::int64_t launched_processes();

/// Rank of this process according to the launcher; 0 without a launcher.
[[nodiscard]] std::int64_t launched_rank();

/// True for rank 0 of the launcher, and without a launcher.
[[nodiscard]] bool is_first_of_launcher();

/// True for the first process of each node, and if the launcher gives no local rank.
[[nodiscard]] bool is_first_of_host();

/// Checks how a command that needs MPI was started. Each remedy contains the correct command line. Must be
/// constructed before MPI starts, because Open MPI itself sets launcher variables.
class LaunchCheck {
 public:
  /// Sets PATH if there is none, and raises a small limit of open files as far as the process may.
  explicit LaunchCheck(std::string_view command);

  /// An srun step without PMI, or limits of the process, with which MPI would end the process at its start.
  [[nodiscard]] Problem problem_before_mpi() const;
  /// The start of MPI may end the process.
  [[nodiscard]] Problem doubt_before_mpi() const;
  /// MPI reports `ranks` ranks. Problem: several processes that each see one rank (all would write the same
  /// run.dir), or one process in a Slurm job of several tasks.
  [[nodiscard]] Problem problem(int ranks) const;

 private:
  std::string command_;
  std::int64_t processes_;  // of the launcher
  bool is_step_;            // started by srun
  bool is_open_mpi_;        // Open MPI ends a step without PMI
  bool is_launched_;        // by a launcher that sets variables
  std::int64_t job_tasks_;  // of the Slurm job; 0: none
};

}  // namespace convoy::launch
