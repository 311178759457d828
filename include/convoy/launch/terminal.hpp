#pragma once
// Whether a person watches standard output.

namespace convoy::launch {

/// True if standard output ends on a terminal. mpirun gives its ranks a pseudo-terminal even where its own
/// output goes to a file, so under a launcher it is the launcher's output that counts; where that cannot be
/// seen, false.
[[nodiscard]] bool standard_output_is_terminal();

}  // namespace convoy::launch
