#pragma once
// Finds the processors of this node by hwloc. Private to the machine room.

#include <string>
#include <vector>

namespace convoy::machine {

/// Processors on which a thread may run, numbered by the operating system, ascending.
struct Processors {
  std::vector<int> numbers;  ///< at least one
  std::vector<int> domains;  ///< NUMA domains of these processors; empty if the node has only one
};

/// Processors allowed for the threads of an OpenMP team that the calling thread begins. (Where OMP_PROC_BIND
/// or OMP_PLACES bind threads, OpenMP has bound the first one to its place before main().) Reads the node's
/// topology, which takes about 10 ms: call at the start of a command, never in a step.
[[nodiscard]] Processors allowed_processors();

/// Where OpenMP pins a team of `threads` that the calling thread begins: the first processor of each core,
/// ascending. Empty if the team may run on all of `allowed`. Starts up to as many threads as there are
/// processors in `allowed`, if OpenMP binds threads; reads the topology.
[[nodiscard]] std::vector<int> pinned_processors(const std::vector<int>& allowed, int threads);

/// The variables that are set of those that bind OpenMP's threads: "OMP_PROC_BIND=true, OMP_PLACES=cores".
[[nodiscard]] std::string binding_variables();

}  // namespace convoy::machine
