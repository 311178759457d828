#pragma once
// Finds the processors of this node by hwloc. Private to the machine room.

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

}  // namespace convoy::machine
