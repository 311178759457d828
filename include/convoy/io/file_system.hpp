#pragma once
// Plain files and folders, with every return code checked. Not HDF5, not collective: one rank calls.
//
// All functions throw IoError naming the path and the operating system's reason.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::io {

/// Size of a file in bytes.
[[nodiscard]] std::int64_t file_size(const std::string& path);
/// What changes when a file is written to, cut or replaced.
struct FileState {
  std::int64_t bytes = 0;
  std::int64_t seconds = 0;  ///< of its last change
  std::int64_t nanoseconds = 0;
  friend bool operator==(const FileState&, const FileState&) = default;
};
[[nodiscard]] FileState file_state(const std::string& path);
/// True if something of that name is there (a file, a folder), and where it is a link, at its end; a name
/// whose folder cannot be searched, and a link that leads back to itself, is an IoError.
[[nodiscard]] bool exists(const std::string& path);
/// True for a link to a name that is not there, or back to itself. Throws IoError as exists().
[[nodiscard]] bool is_dead_link(const std::string& path);
/// True if `path` is a folder. Throws IoError for a name whose folder cannot be searched.
[[nodiscard]] bool is_folder(const std::string& path);
/// Makes the folder and its parents; it may be there already.
void make_directories(const std::string& path);
/// Names (not paths) of what is in `folder`, sorted by bytes; "." and ".." left out.
[[nodiscard]] std::vector<std::string> list_folder(const std::string& folder);
/// Removes a file; one that is already gone is no error.
void remove_file(const std::string& path);
/// The whole of a file as text. Throws IoError also where it is larger than `most_bytes`.
[[nodiscard]] std::string read_text_file(const std::string& path,
                                         std::int64_t most_bytes = std::int64_t{1} << 30);

/// The folder part of a path: "." where it names none.
[[nodiscard]] std::string folder_of(const std::string& path);
/// The last part of a path.
[[nodiscard]] std::string name_of(const std::string& path);

/// Waits until what was written to `path` is on the disk.
void flush_to_disk(const std::string& path);
/// Renames `from` to `to` (replacing it) in the same folder and waits until the folder is on the disk.
void rename_durably(const std::string& from, const std::string& to);

/// Replaces a small text file whole: written beside, flushed, renamed, folder flushed. On any failure the old
/// file is as it was and nothing is left beside it. `before_rename`, if given, may throw to stop it.
void write_text_file(const std::string& path, std::string_view text,
                     const std::function<void()>& before_rename = {});

/// The name under which this process writes beside `target`: `.<name>.<job>.<host>.<pid>.tmp` in the same
/// folder, where job is the batch system's job id, else "nojob".
[[nodiscard]] std::string temporary_name(const std::string& target);

/// Whose leftovers sweep_temporaries removes.
enum class Sweep {
  kDeadOnThisHost,  ///< of processes of this host that are gone: always safe
  kAll,             ///< of anybody: for who knows to be the only writer in the folder
};

/// Removes what killed writers left in `folder`: files (and folders with what they hold) named as
/// temporary_name names them, of target `name` alone unless that is empty. Returns how many. Never touches
/// this process's own.
int sweep_temporaries(const std::string& folder, const std::string& name, Sweep whose);

}  // namespace convoy::io
