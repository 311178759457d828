#pragma once
// The processors of this host as hwloc finds them. Private to the machine room.

#include <vector>

namespace convoy::machine {

/// Where a thread may run. Numbers are the operating system's, in ascending order.
struct Processors {
  std::vector<int> numbers;  ///< at least one
  std::vector<int> domains;  ///< the NUMA domains that these belong to; empty if the host has only one
};

/// Where the calling thread may run. Reads the host's topology, which takes some 10 ms: for the start of a
/// command, never within a step.
[[nodiscard]] Processors allowed_processors();

}  // namespace convoy::machine
