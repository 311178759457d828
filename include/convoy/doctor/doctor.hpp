#pragma once
// What is wrong with a machine, before a run finds out: `convoy doctor`. Checks of launcher, places,
// libraries, limits, memory, file system, clocks and network, each with what mends it. It neither prints nor
// exits; the command does, and bounds the time of every check.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::doctor {

enum class Verdict {
  kOk,
  kWarning,  ///< a run will work, but slowly, or other programs will not, or it is not known
  kWrong,    ///< a run will fail, or be of no use
};

/// "ok", "warning", "wrong".
[[nodiscard]] std::string_view to_string(Verdict verdict);

/// One line of the report.
struct Finding {
  std::string check;
  Verdict verdict = Verdict::kOk;
  std::string text;    ///< what was measured, or what is wrong and why
  std::string remedy;  ///< what to type, or to ask for; empty where nothing needs mending
};

/// The run that is to be made possible.
struct PlannedRun {
  config::Options options;
  nn::Network network;
  std::int64_t data_bytes = 0;  ///< of the images that are kept in memory, once a host
};

/// What PlannedRun takes.
struct Needs {
  std::int64_t checkpoint_bytes = 0;  ///< of one file
  std::int64_t files = 0;  ///< that lie in run.dir at a time: checkpoint.keep and the one being written
  std::int64_t shared_bytes = 0;  ///< in shared memory, of a host with `ranks_of_host` ranks
  std::int64_t host_bytes = 0;    ///< of memory in all, of that host
};

/// For a job of `ranks` on `hosts`, whose fullest host has `ranks_of_host`, each with `threads`. An estimate
/// from shapes: activations, gradients, parameters, optimizer, the copy for a checkpoint, images in memory,
/// 200 MB a rank for program and libraries. Makes one micro-batch's memory to measure it.
[[nodiscard]] Needs needs_of(const PlannedRun& run, int ranks, int hosts, int ranks_of_host, int threads);

struct DoctorRequest {
  /// Reads the configuration; throws Error where that fails on this rank. Empty: no run is planned.
  std::function<std::unique_ptr<PlannedRun>()> plan;
  std::string dir;       ///< whose file system is tried; empty: the planned run's, else the working directory
  std::string launcher;  ///< "mpirun", …: how the processes were started
  std::string launcher_problem;  ///< what is wrong with that; empty: nothing
  std::string mpi_problem;       ///< why MPI does not run, and `world` is this process alone; empty: it runs
  double measure_seconds = 0.2;  ///< for each number of the network
  std::function<void(const std::string& check)> begin;  ///< a check begins; any rank
  std::function<void(const Finding& finding)> tell;     ///< rank 0 alone
};

/// Collective over `world`. Makes all checks, in a fixed order. A failure of some ranks is a finding that
/// names them and their hosts; throws where MPI itself fails.
void run_checks(const DoctorRequest& asked, const comm::Communicator& world);

}  // namespace convoy::doctor
