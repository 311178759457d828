#pragma once
// Finding out, without hanging, whether every rank has come to the same point: the end of a job uses it to
// tell an error that all ranks met from one that this rank met alone.

#include <vector>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// True once every rank of `communicator` has called this; false where some have not after `seconds`, and
/// then the communicator is of no more use to anybody: all that is left to do is Communicator::abort(). At
/// once true for one rank. Nobody else may use `communicator` meanwhile. Throws Error where MPI fails.
[[nodiscard]] bool meet(const Communicator& communicator, double seconds);

/// Of ranks that all call this when they have waited in vain: those near this one (up to 32 on either side)
/// that have not called it too within `seconds`. `communicator` is for this alone, once; afterwards it is of
/// no more use.
[[nodiscard]] std::vector<int> unresponsive_ranks(const Communicator& communicator, double seconds);

}  // namespace convoy::comm
