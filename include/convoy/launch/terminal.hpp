#pragma once
// Detects whether standard output is a terminal.

namespace convoy::launch {

/// True if standard output is a terminal. mpirun gives its ranks a pseudo-terminal even if its own output
/// goes to a file, so under a launcher the launcher's output counts. False if the launcher's output cannot be
/// inspected.
[[nodiscard]] bool standard_output_is_terminal();

}  // namespace convoy::launch
