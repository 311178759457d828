#pragma once
// Atomic creation of HDF5 files (src/CONTRACT.md, "Checkpoint file"). Write to a temporary file in the
// target's folder (job, node and process in its name), add the checksum, fsync, read back and verify, rename,
// fsync the folder. The caller writes the content (hdf5_file.hpp). For small text files, see write_text_file
// (file_system.hpp).

#include <cstdint>
#include <functional>
#include <string>

#include "convoy/comm/communicator.hpp"

namespace convoy::io {

/// A temporary file that will become `target`. All ranks of `world` hold one and make the same calls. Rank 0
/// does the work on the file system; all ranks throw an error of any rank.
class PendingFile {
 public:
  /// Collective. Creates the temporary file, empty, in the folder of `target`, and checks that the disk has
  /// room for `expected_bytes`: if a later write fails on one rank, the others can wait in MPI forever, so a
  /// full disk should be detected first. Throws IoError with path and reason (no room, no such folder, no
  /// permission, target is a folder).
  PendingFile(std::string target, const comm::Communicator& world, std::int64_t expected_bytes = 0);
  /// Removes the temporary file unless commit() succeeded. Rank 0 does it; not collective.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  /// Path of the temporary file, to write to; the same on every rank.
  [[nodiscard]] const std::string& path() const { return temporary_; }

  /// Collective. Precondition: every rank has closed its file. Adds the checksum, flushes, reads back,
  /// verifies, calls `before_rename` on rank 0 (it may throw to cancel, e.g. a superseded run), renames,
  /// flushes the folder. Throws IoError; the target is then unchanged.
  void commit(const std::function<void()>& before_rename = {});

 private:
  void discard() noexcept;

  comm::Communicator world_;
  std::string target_;
  std::string temporary_;
  bool pending_ = false;
};

}  // namespace convoy::io
