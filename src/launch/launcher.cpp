#include "convoy/launch/launcher.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/text.hpp"

namespace convoy::launch {
namespace {

std::optional<std::int64_t> environment_integer(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : parse_integer(text);
}

bool is_set(const char* name) {
  return std::getenv(name) != nullptr;
}

/// Value of the first variable that is a number.
template <std::size_t N>
std::optional<std::int64_t> first_integer(const char* const (&names)[N]) {
  for (const char* name : names)
    if (const auto value = environment_integer(name)) return value;
  return std::nullopt;
}

/// mpirun's variables come first: within a Slurm job, mpirun starts its daemons by srun, and its ranks
/// inherit srun's variables.
std::optional<std::int64_t> told_processes() {
  return first_integer({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "FLUX_JOB_SIZE"});
}

/// " --cpus-per-task=4", as requested by the job.
std::string threads_of_job() {
  const auto threads = first_integer({"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"});
  return threads ? " --cpus-per-task=" + std::to_string(*threads) : std::string();
}

bool is_open_mpi() {
  return comm::Environment::library_version().starts_with("Open MPI");
}

/// Value for srun's --mpi: MPICH and its derivatives support PMIx only if built with it.
std::string pmi() {
  return is_open_mpi() ? "pmix" : "pmi2";
}

std::string srun_line(std::string_view command, std::int64_t tasks) {
  return fmt::format("srun --mpi={} --ntasks={}{} convoy {} …", pmi(), tasks, threads_of_job(), command);
}

/// What Open MPI 4 and 5 take to start, measured: open files, and bytes of a file (of a process without a
/// launcher, which is its own daemon). Below, it ends the process with a message of its own.
constexpr rlim_t kFilesOfMpi = 32;
constexpr rlim_t kFileBytesOfMpi = rlim_t{8} << 20;

/// What MPI needs and this process may give: a PATH, by which one process alone starts Open MPI's daemon, and
/// open files.
void prepare_for_mpi() {
  setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 0);
  constexpr rlim_t kEnough = 1024;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kEnough) return;
  files.rlim_cur = std::min(files.rlim_max, kEnough);
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

Problem problem_of_limits(bool is_launched) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < kFilesOfMpi)
    return {fmt::format("only {} open files are allowed, so that MPI cannot start", limit.rlim_cur),
            "ulimit -n 1024, or LimitNOFILE, or nofile in /etc/security/limits.conf"};
  if (!is_launched && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < kFileBytesOfMpi)
    return {fmt::format("no file may grow beyond {} (RLIMIT_FSIZE), so that MPI cannot start",
                        in_bytes(static_cast<std::int64_t>(limit.rlim_cur))),
            "ulimit -f unlimited"};
  return {};
}

}  // namespace

std::int64_t launched_processes() {
  return told_processes().value_or(1);
}

std::int64_t launched_rank() {
  return first_integer({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID", "FLUX_TASK_RANK"})
      .value_or(0);
}

bool is_first_of_launcher() {
  return launched_rank() == 0;
}

bool is_first_of_host() {
  return first_integer(
             {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID", "FLUX_TASK_LOCAL_ID"})
             .value_or(0) == 0;
}

LaunchCheck::LaunchCheck(std::string_view command)
    : command_(command),
      processes_(launched_processes()),
      is_step_(environment_integer("SLURM_STEP_NUM_TASKS").has_value() && !is_set("OMPI_COMM_WORLD_SIZE")),
      is_open_mpi_(is_open_mpi()),
      is_launched_(told_processes().has_value()),
      job_tasks_(environment_integer("SLURM_NTASKS").value_or(0)) {
  prepare_for_mpi();
}

Problem LaunchCheck::problem_before_mpi() const {
  if (is_open_mpi_)
    if (Problem problem = problem_of_limits(is_launched_)) return problem;
  if (!is_open_mpi_ || !is_step_ || is_set("PMIX_NAMESPACE") || is_set("PMI_FD") || is_set("PMI_RANK"))
    return {};
  return {"srun started this without PMI, so that MPI cannot start",
          fmt::format("start it with '{}' ('srun --mpi=list' shows what this Slurm has), or in a shell that "
                      "srun started, with 'mpirun -n N convoy {} …'",
                      srun_line(command_, processes_), command_)};
}

Problem LaunchCheck::doubt_before_mpi() const {
  if (!is_open_mpi_ || !is_step_ || is_set("PMIX_NAMESPACE") || !is_set("PMI_FD")) return {};
  return {"srun offers PMI-2 here, which not every Open MPI speaks",
          "where MPI does not start: '" + srun_line(command_, processes_) + "'"};
}

Problem LaunchCheck::problem(int ranks) const {
  if (ranks > 1) return {};
  if (is_step_ && processes_ > 1) {
    return {fmt::format("srun started {}, but each of them sees one rank (srun was told no PMI that this MPI "
                        "speaks)",
                        counted(processes_, "process")),
            fmt::format("start them with '{}' ('srun --mpi=list' shows what this Slurm has)",
                        srun_line(command_, processes_))};
  }
  if (processes_ > 1) {
    return {fmt::format("the launcher started {}, but each of them sees one rank (launcher and MPI do not "
                        "speak the same PMI)",
                        counted(processes_, "process")),
            "use the mpirun of the MPI that Convoy was built with, under Slurm srun --mpi=" + pmi()};
  }
  if (!is_launched_ && job_tasks_ > 1) {
    return {fmt::format("this Slurm job has {} (SLURM_NTASKS), but convoy was started as one process, "
                        "without srun",
                        counted(job_tasks_, "task")),
            fmt::format("start it with '{}', or where one process is meant, with '{}'",
                        srun_line(command_, job_tasks_), srun_line(command_, 1))};
  }
  return {};
}

}  // namespace convoy::launch
