#pragma once
// Where the ranks of a job run: hosts, processors they may use, threads; and what is wrong with it.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"

namespace convoy::machine {

/// Threads of this rank: `asked` unless 0, else OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the number of
/// processors this process may run on. Throws ConfigError where a variable is no positive integer.
[[nodiscard]] int resolve_threads(std::int64_t asked);

/// One rank's place.
struct Placement {
  std::string host;
  std::string processors;  ///< its affinity mask, "0-3,8"
  std::vector<int> processor_numbers;
  std::vector<int> domains{};  ///< NUMA domains of these processors; empty if the host has only one
  int threads = 1;
};

/// Collective. Every rank's place, by rank.
[[nodiscard]] std::vector<Placement> gather_placements(const comm::Communicator& world, int threads);

/// ", NUMA domains 0-1"; empty if the host has only one.
[[nodiscard]] std::string describe_domains(const Placement& place);

/// One line a host: ranks, threads, processors, NUMA domains if there are several.
[[nodiscard]] std::string describe_placements(const std::vector<Placement>& placements);

/// What to warn about, with the option that mends it: ranks that share processors and have more threads than
/// those, and ranks bound to different processors that overlap. Ranks that may all run anywhere are not
/// bound, which is no fault.
[[nodiscard]] std::vector<std::string> placement_warnings(const std::vector<Placement>& placements);

}  // namespace convoy::machine
