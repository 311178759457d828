#pragma once
// The places to which OpenMP binds threads (OMP_PROC_BIND, OMP_PLACES). It binds the first thread before
// main(), and threads that are not OpenMP's inherit that one place, where the first compute thread runs.

#include <vector>

namespace convoy {

/// Processors of all places, numbered by the operating system, ascending; none if OpenMP binds no thread, or
/// all to the first one's place.
[[nodiscard]] std::vector<int> processors_of_places();

/// Call first in a thread that is not OpenMP's: allows it all places, so that it does not take turns with the
/// first compute thread while other processors of the rank are free. Does nothing if OpenMP binds no thread,
/// or the system refuses.
void leave_first_place();

}  // namespace convoy
