#pragma once
// `convoy doctor`: finds the faults of a machine before a run. Checks launcher, placement, libraries, limits,
// memory, file system, clocks and network, and gives a fix for each fault. This code neither prints nor
// exits; the command does, and limits the time of every check.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/problem.hpp"
#include "convoy/data/keeping.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::doctor {

enum class Verdict {
  kOk,
  kWarning,  ///< a run will work but may be slow, other programs may fail, or the result is unknown
  kWrong,    ///< a run will fail or be useless
};

/// "ok", "warning", "wrong".
[[nodiscard]] std::string_view to_string(Verdict verdict);

/// One line of the report.
struct Finding {
  std::string check;
  Verdict verdict = Verdict::kOk;
  std::string text;    ///< the measurement, or the problem and its cause
  std::string remedy;  ///< the fix: a command, or a request to the administrator; empty if no fix is needed
};

/// The run that the checks prepare for.
struct PlannedRun {
  config::Options options;
  nn::Network network;
  std::int64_t image_bytes = 0;  ///< of all images that it reads, as they are in memory
};

/// Resources that PlannedRun needs.
struct Needs {
  std::int64_t checkpoint_bytes = 0;  ///< of one file
  std::int64_t files = 0;         ///< in run.dir at the same time: checkpoint.keep and the one being written
  std::int64_t shared_bytes = 0;  ///< of shared memory on a node with `ranks_of_host` ranks
  std::int64_t host_bytes = 0;    ///< of all memory on that node
};

/// Resources of a job of `ranks` on `hosts` nodes, with at most `ranks_of_host` ranks per node and `threads`
/// per rank. An estimate from shapes: activations, gradients, parameters, optimizer, the copy for a
/// checkpoint, images as data.cache and the `memory` of the nodes let a run keep them, and 200 MB per rank
/// for program and libraries. Allocates the memory of one micro-batch to measure it.
[[nodiscard]] Needs needs_of(const PlannedRun& run, int ranks, int hosts, int ranks_of_host, int threads,
                             const data::NodeMemory& memory = {});

struct DoctorRequest {
  /// Reads the configuration; throws Error if that fails on this rank. Empty: no run is planned.
  std::function<std::unique_ptr<PlannedRun>()> plan;
  std::string dir;  ///< its file system is tested; empty: that of the planned run, else the working directory
  std::int64_t threads = 0;  ///< of a rank, where no run is planned; 0: as resolve_threads() chooses
  std::string launcher;      ///< "mpirun", …: how the processes were started
  Problem launcher_problem;
  std::string mpi_problem;  ///< why MPI does not run, so that `world` is this process alone; empty: MPI runs
  double measure_seconds = 0.2;                         ///< for each measurement of the network
  std::function<void(const std::string& check)> begin;  ///< called on any rank when a check begins
  std::function<void(const Finding& finding)> tell;     ///< called on rank 0 only
};

/// Collective over `world`. Runs all checks, in a fixed order. A failure of some ranks is a finding that
/// names these ranks and their nodes. Throws if MPI itself fails.
void run_checks(const DoctorRequest& asked, const comm::Communicator& world);

}  // namespace convoy::doctor
