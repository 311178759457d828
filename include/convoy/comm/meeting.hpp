#pragma once
// Finding out, without hanging, whether every rank has come to the same point: the end of a job uses it to
// tell an error that all ranks met from one that this rank met alone.

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// True once every rank of `communicator` has called this; false where some have not after `seconds`, and
/// then the communicator is of no more use to anybody: all that is left to do is Communicator::abort(). At
/// once true for one rank. Nobody else may use `communicator` meanwhile. Throws Error where MPI fails.
[[nodiscard]] bool meet(const Communicator& communicator, double seconds);

}  // namespace convoy::comm
