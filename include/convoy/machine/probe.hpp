#pragma once
// Tests the properties of a folder's file system, for `doctor`. Not collective: each rank tests for itself.
// Training does not need this header.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::machine {

/// What statfs reports about the file system of a path.
struct FileSystem {
  std::string type;             ///< "ext4", "nfs", "lustre", ...; "0x1234" if the name is unknown
  std::int64_t bytes = 0;       ///< total size
  std::int64_t free_bytes = 0;  ///< for users without privileges
  std::int64_t free_files = 0;  ///< files that may still be created; -1: no limit
  bool is_read_only = false;
  bool is_of_one_host = false;  ///< visible to one node only: in memory, or a container layer
};

/// Throws IoError if `path` does not exist or cannot be queried.
[[nodiscard]] FileSystem file_system_of(const std::string& path);

/// `path`, or its nearest parent folder that exists: the folder in which `path` would be created.
[[nodiscard]] std::string nearest_folder(const std::string& path);

/// Throws IoError if this user may not create the folder `path`, or files in it. Creates nothing.
void require_may_write(const std::string& path);

/// Why file locks fail, e.g. "flock: No locks available"; empty if they work.
struct Locks {
  std::string flock;
  std::string fcntl;
  [[nodiscard]] bool work() const { return flock.empty() && fcntl.empty(); }
};

/// Locks and unlocks `path` with flock and fcntl. `path` must exist and be writable. Does not wait for a lock
/// held by another process; such a lock counts as working. Throws IoError if the file cannot be opened.
[[nodiscard]] Locks try_locks(const std::string& path);

/// What remains of the quota of this user or group.
struct Quota {
  std::string whose;  ///< "user 1000"
  std::int64_t free_bytes = 0;
  std::int64_t free_files = 0;  ///< -1: no limit
};

/// The tightest quota of this process on the file system of `path`; empty if there is none or if `is_known`
/// is false. is_known is false if the kernel does not report quotas (network file systems keep them on the
/// server; `quota -s` or `lfs quota` shows them).
struct QuotaAnswer {
  bool is_known = false;
  std::optional<Quota> tightest;
};
[[nodiscard]] QuotaAnswer ask_quota(const std::string& path);

/// Seconds to write `bytes` to the new file `path` and flush them to the disk. Throws IoError.
[[nodiscard]] double timed_write(const std::string& path, std::int64_t bytes);

/// Throws IoError if a file of `bytes` cannot be created in `folder` (no room, a quota, a limit of the
/// process), as far as the file system reports this without a write. Leaves no file.
void try_room_in(const std::string& folder, std::int64_t bytes);

/// Time of the last write of `path` in seconds since 1970, by the clock of the file system's server.
[[nodiscard]] double written_at(const std::string& path);

/// Creates an empty folder for this process in `folder`; the destructor removes it with its content. First
/// removes such folders of killed processes of this node.
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
