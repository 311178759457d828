#pragma once
// Measures the network between the ranks as the Reducer uses it, for `bench comm` and `scaling`.

#include <cstdint>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// Model: m messages of n bytes each take latency + m·gap + m·n/bytes_per_second.
struct Link {
  double latency = 0;           ///< seconds, 8 bytes, one way
  double gap = 0;               ///< seconds between consecutive short messages
  double bytes_per_second = 0;  ///< send rate of a node that receives at the same rate
  int hosts = 1;                ///< nodes; 1: measured inside one node, through its memory
};

/// Collective. Measures between the nodes of `world`, or between its ranks if there is one node: ping-pong
/// between the first two, then 1 MiB messages from every node to the next at the same time, `seconds` each.
/// Returns medians. Returns a default Link if there is one rank.
[[nodiscard]] Link measure_link(const Communicator& world, double seconds);

/// Collective. Median seconds of MPI_Allreduce over `elements` floats. Takes about `seconds`.
[[nodiscard]] double measure_all_reduce(const Communicator& world, std::int64_t elements, double seconds);

}  // namespace convoy::comm
