#pragma once
// Checks, with a time limit, whether all ranks have reached the same point. The end of a job uses the result
// to distinguish an error on all ranks from an error on this rank only.

#include <vector>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// Collective. True when all ranks of `communicator` have called it; immediately true for one rank. False if
/// some have not after `seconds`: then the communicator is unusable and the caller can only call
/// Communicator::abort(). Precondition: nothing else uses `communicator` during the call. Throws Error if MPI
/// fails.
[[nodiscard]] bool meet(const Communicator& communicator, double seconds);

/// Called by ranks whose wait has timed out. Returns the ranks within ±32 of this rank that did not call it
/// within `seconds`. `communicator` must be reserved for this call; it is unusable afterwards.
[[nodiscard]] std::vector<int> unresponsive_ranks(const Communicator& communicator, double seconds);

}  // namespace convoy::comm
