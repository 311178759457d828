#pragma once
// Whole or absent: how every HDF5 file of ours comes to be (src/CONTRACT.md, "Checkpoint file"). It is
// written beside its place under a name with job, host and process, summed, flushed to disk, read back and
// checked, renamed, and its folder flushed. What the file holds is the caller's business (hdf5_file.hpp);
// small text files have write_text_file (file_system.hpp).

#include <cstdint>
#include <functional>
#include <string>

#include "convoy/comm/communicator.hpp"

namespace convoy::io {

/// A file on its way to its place. All ranks of `world` hold one and make the same calls; rank 0 does the
/// work on the file system, and an error of any rank reaches all.
class PendingFile {
 public:
  /// Collective. Makes the temporary, empty, beside `target`, and tries first whether the disk has room for
  /// `expected_bytes`: a write that fails on one rank alone can leave the others waiting inside MPI, so a
  /// full disk is better known before. Throws IoError naming path and reason (no room, no such folder, no
  /// permission, target is a folder).
  PendingFile(std::string target, const comm::Communicator& world, std::int64_t expected_bytes = 0);
  /// Removes the temporary unless commit() succeeded. Rank 0 does; not collective.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  /// Where to write; the same on every rank.
  [[nodiscard]] const std::string& path() const { return temporary_; }

  /// Collective, after every rank has closed its file. Forms the checksum, flushes, reads back, checks, calls
  /// `before_rename` (on rank 0; it may throw to stop: a superseded run), renames, flushes the folder. Throws
  /// IoError; then the target is as it was.
  void commit(const std::function<void()>& before_rename = {});

 private:
  void discard() noexcept;

  comm::Communicator world_;
  std::string target_;
  std::string temporary_;
  bool pending_ = false;
};

}  // namespace convoy::io
