#pragma once
// Reading a file in a child process first. libhdf5 crashes, or allocates and loops without end, on some files
// with damaged metadata. Those of ours are known by their checksum before it sees them (checksum.hpp);
// whoever opens a file without one, or with one that was not checked, tries it here, and reads it only where
// the child lived. Not a sandbox: it is for accidents, not for malice.

#include <cstdint>
#include <functional>
#include <string>

namespace convoy::io {

/// What the child may take.
struct ChildLimits {
  /// Of processor time; four times as much by the clock.
  std::int64_t seconds = 30;
  /// Of address space, beyond what this process has and eight times the first 4 GiB of the file: the largest
  /// chunk HDF5 can have, on its way through decompression and unshuffling.
  std::int64_t bytes = std::int64_t{4} << 30;
};

/// Calls `reading`, which should make the calls that will read `path` afterwards, in a child process, and
/// waits for its end. What it changes in memory is lost; what it throws is passed over, since the same will
/// be thrown when this process reads; what it prints goes nowhere. It must call neither MPI nor OpenMP. One
/// rank of a node calls, from the thread that makes HDF5 calls.
///
/// Throws DataError, naming file and cause, where the child died of a signal or came to a limit, IoError
/// where it could not be started. Costs a fork (about a millisecond, more for a large process) and the
/// reading.
void run_in_child(const std::string& path, const std::function<void()>& reading,
                  const ChildLimits& limits = {});

}  // namespace convoy::io
