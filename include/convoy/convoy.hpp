#pragma once
// Convoy as a library: training and prediction inside another program. find_package(convoy) gives the target
// convoy::convoy. tests/examples has programs of it; src/LIBRARY.md is its guide.

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/library/dataset.hpp"
#include "convoy/library/model.hpp"
#include "convoy/library/numbers.hpp"
#include "convoy/library/options.hpp"

namespace convoy {

/// The ranks that share a data set. `Communicator::duplicate_of(&comm)` for an MPI_Comm; self() for one
/// process without MPI.
using comm::Communicator;

}  // namespace convoy
