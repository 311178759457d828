#pragma once
// Placement of a job's ranks: nodes, allowed processors, threads. Warns about bad placements.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/problem.hpp"

namespace convoy::machine {

/// Threads of this rank: `asked` unless 0, else OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the number of
/// processors this process may run on, but no more than this rank's share of the processor time that its
/// control group grants. Throws ConfigError if a variable is not a positive integer.
[[nodiscard]] int resolve_threads(std::int64_t asked);

/// Placement of one rank.
struct Placement {
  std::string host;
  std::string processors;  ///< affinity mask: "0-3,8"
  std::vector<int> processor_numbers;
  std::vector<int> domains{};  ///< NUMA domains of these processors; empty if the node has only one
  int threads = 1;
  double quota =
      0;  ///< processors' worth of time that the rank's control group grants its node's ranks; 0: any
  /// Where OpenMP pins the threads, if these are fewer processors than the rank may run on: the first
  /// processor of each core, ascending.
  std::vector<int> pinned{};
  std::string pinned_by{};  ///< the variables that bind OpenMP's threads: "OMP_PLACES=cores"; empty: none
};

/// Collective. The placement of every rank, by rank.
[[nodiscard]] std::vector<Placement> gather_placements(const comm::Communicator& world, int threads);

/// ", NUMA domains 0-1"; empty if the node has only one.
[[nodiscard]] std::string describe_domains(const Placement& place);

/// One line per node: ranks, threads, processors, NUMA domains if there are several.
[[nodiscard]] std::string describe_placements(const std::vector<Placement>& placements);

/// Problems whose remedies are options of the launcher: ranks that share processors and have more threads
/// than processors, or than their control group grants processor time; ranks whose threads OpenMP pins to the
/// same cores, though they may run on more; ranks bound to different but overlapping processors. Ranks that
/// may run on all processors are not bound; no warning.
[[nodiscard]] std::vector<Problem> placement_problems(const std::vector<Placement>& placements);

}  // namespace convoy::machine
