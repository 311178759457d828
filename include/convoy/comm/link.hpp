#pragma once
// What the network between the ranks can do, as the Reducer meets it: for `bench comm` and `scaling`.

#include <cstdint>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// m messages of n bytes each take latency + m·gap + m·n/bytes_per_second.
struct Link {
  double latency = 0;           ///< of 8 bytes one way, seconds
  double gap = 0;               ///< between short messages, one after the other, seconds
  double bytes_per_second = 0;  ///< what a host sends while it receives as much
  int hosts = 1;                ///< 1: within one, through its memory
};

/// Collective. Between the hosts of `world`, or where there is one, between its ranks: messages back and
/// forth between the first two, then of 1 MiB from everyone to the next, all at once, `seconds` each.
/// Medians. No link where there is one rank.
[[nodiscard]] Link measure_link(const Communicator& world, double seconds);

/// Collective. Seconds of MPI_Allreduce over so many floats, median; about `seconds` are spent.
[[nodiscard]] double measure_all_reduce(const Communicator& world, std::int64_t elements, double seconds);

}  // namespace convoy::comm
