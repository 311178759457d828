#pragma once
// Files and folders, with every return code checked. No HDF5. Not collective: one rank calls.
//
// All functions throw IoError with the path and the operating system's reason.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::io {

/// Size of a file in bytes.
[[nodiscard]] std::int64_t file_size(const std::string& path);
/// Properties that change if a file is written, truncated or replaced.
struct FileState {
  std::int64_t bytes = 0;
  std::int64_t seconds = 0;  ///< time of the last change
  std::int64_t nanoseconds = 0;
  friend bool operator==(const FileState&, const FileState&) = default;
};
[[nodiscard]] FileState file_state(const std::string& path);
/// True if `path` is a file or folder, or a link to one. Throws IoError if the folder of the name cannot be
/// searched, or for a link that leads back to itself.
[[nodiscard]] bool exists(const std::string& path);
/// True for a link whose target is absent, or a link to itself. Throws IoError as exists().
[[nodiscard]] bool is_dead_link(const std::string& path);
/// True if `path` is a folder. Throws IoError if its parent folder cannot be searched.
[[nodiscard]] bool is_folder(const std::string& path);
/// Creates the folder and its parents. No error if it exists.
void make_directories(const std::string& path);
/// Names (not paths) in `folder`, sorted by bytes, without "." and "..".
[[nodiscard]] std::vector<std::string> list_folder(const std::string& folder);
/// Removes a file. No error if the file is absent.
void remove_file(const std::string& path);
/// Reads a whole file as text. Throws IoError also if the file is larger than `most_bytes`.
[[nodiscard]] std::string read_text_file(const std::string& path,
                                         std::int64_t most_bytes = std::int64_t{1} << 30);

/// The folder part of a path; "." if it has none.
[[nodiscard]] std::string folder_of(const std::string& path);
/// For a file that is written after long work: throws IoError now if its folder does not exist. Does nothing
/// for an empty path.
void require_folder_of(const std::string& path);
/// The last part of a path.
[[nodiscard]] std::string name_of(const std::string& path);

/// Waits until the data of `path` is on the disk.
void flush_to_disk(const std::string& path);
/// Renames `from` to `to` (replacing it) in the same folder and waits until the folder is on the disk.
void rename_durably(const std::string& from, const std::string& to);

/// Replaces a small text file atomically: writes a temporary file in the same folder, flushes, renames,
/// flushes the folder. If anything fails, the old file is unchanged and the temporary file is removed.
/// `before_rename`, if given, may throw to cancel.
void write_text_file(const std::string& path, std::string_view text,
                     const std::function<void()>& before_rename = {});

/// Name of this process's temporary file for `target`: `.<name>.<job>.<host>.<pid>.tmp` in the same folder.
/// <job> is the batch system's job id, or "nojob".
[[nodiscard]] std::string temporary_name(const std::string& target);

/// Which temporary files sweep_temporaries removes.
enum class Sweep {
  kDeadOnThisHost,  ///< of processes on this node that have ended: always safe
  kAll,             ///< of all processes: only if no other process writes in the folder
};

/// Removes temporary files (and folders with their content) of killed writers from `folder`: names as from
/// temporary_name, for target `name` only unless it is empty. Returns the number removed. Never removes this
/// process's own.
int sweep_temporaries(const std::string& folder, const std::string& name, Sweep whose);

}  // namespace convoy::io
