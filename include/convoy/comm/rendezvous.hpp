#pragma once
// Checks, with a time limit, whether all ranks have reached the same point. The end of a job uses the result
// to distinguish an error on all ranks from an error on this rank only.

#include <vector>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

struct Meeting {
  bool is_complete = false;  ///< every rank has come
  int first = 0;             ///< the lowest rank that has come, of this rank and those within ±32 of it
};

/// Collective. Waits until all ranks of `communicator` have called it, at most `seconds`; one rank does not
/// wait. If the meeting is not complete, the communicator is unusable and the caller can only call
/// Communicator::abort(). Precondition: nothing else uses `communicator` during the call. Throws Error if MPI
/// fails.
[[nodiscard]] Meeting meet(const Communicator& communicator, double seconds);

/// Called by ranks whose wait has timed out. Returns the ranks within ±32 of this rank that did not call it
/// within `seconds`. `communicator` must be reserved for this call; it is unusable afterwards.
[[nodiscard]] std::vector<int> unresponsive_ranks(const Communicator& communicator, double seconds);

}  // namespace convoy::comm
