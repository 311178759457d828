#pragma once
// Reads a file in a child process first. libhdf5 crashes, or allocates or loops without end, on some files
// with damaged metadata. Convoy's files are verified by checksum before libhdf5 opens them (checksum.hpp). A
// file without a checksum, or with an unverified one, is first read in a child process; this process reads it
// only if the child survived. Not a sandbox: protects against accidents, not attacks.

#include <cstdint>
#include <functional>
#include <string>

namespace convoy::io {

/// Resource limits of the child.
struct ChildLimits {
  /// CPU time in seconds; the limit of elapsed time is four times as long.
  std::int64_t seconds = 30;
  /// Address space in bytes, in addition to this process's own and eight times the first 4 GiB of the file
  /// (the largest chunk of HDF5, during decompression and unshuffling).
  std::int64_t bytes = std::int64_t{4} << 30;
};

/// Calls `reading` in a child process and waits for its end. `reading` should make the calls that will read
/// `path` afterwards. Its changes to memory are lost; its exceptions are ignored (this process will throw the
/// same when it reads); its output is discarded. It must not call MPI or OpenMP. Call from one rank of a
/// node, on the thread that makes HDF5 calls. `meanwhile`, if any, is called about ten times a second; what
/// it throws ends the child.
///
/// Throws DataError, with file and cause, if the child died of a signal or reached a limit; IoError if it
/// could not be started. Cost: a fork (about a millisecond, more for a large process) and the reading.
void run_in_child(const std::string& path, const std::function<void()>& reading,
                  const ChildLimits& limits = {}, const std::function<void()>& meanwhile = {});

}  // namespace convoy::io
