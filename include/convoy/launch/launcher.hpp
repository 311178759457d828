#pragma once
// What the environment tells of how this process was started (mpirun, srun, flux, nothing), before MPI
// starts, and whether MPI agrees. Who asks: the frame that runs commands on ranks, and those that must not
// run on several.

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::launch {

/// How many processes the launcher says it started; 1 without one.
[[nodiscard]] std::int64_t launched_processes();

/// This process's number as the launcher told it; 0 without one.
[[nodiscard]] std::int64_t launched_rank();

/// True for launched rank 0, and without a launcher.
[[nodiscard]] bool is_first_of_launcher();

/// True for the first process of each host, and without a launcher that tells.
[[nodiscard]] bool is_first_of_host();

/// What is wrong with how a command was started that needs MPI, with the line that starts it right. Made
/// before MPI starts: Open MPI sets variables of the launcher's itself.
class LaunchCheck {
 public:
  explicit LaunchCheck(std::string_view command);

  /// A step of srun in which MPI would find no PMI, and end the process at its start. Empty: nothing is
  /// wrong.
  [[nodiscard]] std::string problem_before_mpi() const;
  /// MPI may end the process at its start, or not. Empty: no doubt.
  [[nodiscard]] std::string doubt_before_mpi() const;
  /// MPI shows `ranks` ranks: several processes that each see one (they would all write the same run.dir), or
  /// one process in a Slurm job of several tasks. Empty: nothing is wrong.
  [[nodiscard]] std::string problem(int ranks) const;

 private:
  std::string command_;
  std::int64_t processes_;  // of the launcher
  bool is_step_;            // started by srun
  bool is_open_mpi_;        // which ends a step that has no PMI
  bool is_launched_;        // by anything that tells
  std::int64_t job_tasks_;  // of the Slurm job; 0: none
};

}  // namespace convoy::launch
