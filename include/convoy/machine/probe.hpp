#pragma once
// What a folder's file system can do, tried out: for `doctor`. Not collective: each rank asks for itself.
// Nothing here is needed to train.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::machine {

/// What statfs tells of the file system that holds a path.
struct FileSystem {
  std::string type;             ///< "ext4", "nfs", "lustre", ...; "0x1234" where the name is not known
  std::int64_t bytes = 0;       ///< in all
  std::int64_t free_bytes = 0;  ///< for users without privileges
  std::int64_t free_files = 0;  ///< files that may still be made; -1: it has no such limit
  bool is_read_only = false;
  bool is_of_one_host = false;  ///< of a kind that no other host sees: memory, or a layer of a container
};

/// Throws IoError where `path` is not there or cannot be asked.
[[nodiscard]] FileSystem file_system_of(const std::string& path);

/// `path`, or the nearest folder above it that is there: where it would be made.
[[nodiscard]] std::string nearest_folder(const std::string& path);

/// Throws IoError where this user may make no folder `path`, or no file in it; makes nothing.
void require_may_write(const std::string& path);

/// Why file locks do not work, as "flock: No locks available"; nothing said where they do.
struct Locks {
  std::string flock;
  std::string fcntl;
  [[nodiscard]] bool work() const { return flock.empty() && fcntl.empty(); }
};

/// Locks and unlocks `path`, which must be there and writable, both ways. Does not wait for a lock that
/// somebody else has, which counts as working. Throws IoError where the file cannot be opened.
[[nodiscard]] Locks try_locks(const std::string& path);

/// What the quota of this user, or group, leaves.
struct Quota {
  std::string whose;  ///< "user 1000"
  std::int64_t free_bytes = 0;
  std::int64_t free_files = 0;  ///< -1: no limit
};

/// Of quotas that bind this process on the file system of `path`, the one that leaves least; nothing where
/// there is none, or where `is_known` is false: the kernel does not tell (network file systems keep theirs on
/// the server, `quota -s` or `lfs quota` shows them).
struct QuotaAnswer {
  bool is_known = false;
  std::optional<Quota> tightest;
};
[[nodiscard]] QuotaAnswer ask_quota(const std::string& path);

/// Seconds that it took to write `bytes` to the new file `path` and to have them on the disk. Throws IoError.
[[nodiscard]] double timed_write(const std::string& path, std::int64_t bytes);

/// Throws IoError where a file of so many bytes could not be had in `folder` (no room, a quota, a limit of
/// the process), as far as the file system can tell without writing them. Leaves nothing.
void try_room_in(const std::string& folder, std::int64_t bytes);

/// When the file system says `path` was written last, seconds since 1970, by the clock of whoever keeps it.
[[nodiscard]] double written_at(const std::string& path);

/// Makes an empty folder of this process's own in `folder`, removes it with all it holds at its end, and
/// before that what processes of this host that were killed have left of theirs.
class ScratchFolder {
 public:
  /// Throws IoError.
  explicit ScratchFolder(const std::string& folder);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace convoy::machine
