#pragma once
// The files of a run, on rank 0: config.ini, checkpoints/, owner, metrics.jsonl, hashes.jsonl
// (src/CONTRACT.md, "Run directory").
//
// `owner` names the live run. A second start in the same folder is refused, unless the first run has ended or
// is silent (src/train/owner.hpp), or the second is to take over: a requeued job does, whose first instance
// may still run on an unreachable node. The first run detects this before its next rename, append or
// deletion, and stops.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace convoy::train {

class Heartbeat;

/// Files of lines, each a JSON object with a `step`.
enum class LineFile : char { kMetrics, kHashes };

/// Used on rank 0 only. All functions throw IoError; functions marked "as owner" also throw Error (4) if
/// another run owns the folder.
class RunDirectory {
 public:
  explicit RunDirectory(std::string path, bool takes_over = false);
  /// Says in `owner` that the run has ended, if this run is still the owner.
  ~RunDirectory();
  RunDirectory(RunDirectory&&) noexcept;
  RunDirectory& operator=(RunDirectory&&) = delete;

  /// Throws ConfigError if another run owns the folder and is alive, unless this one takes over. May wait
  /// half a minute for a sign of life of another node.
  void require_free();
  /// require_free(); then creates the folders, takes ownership, and deletes incomplete files of killed runs.
  void claim();
  /// Throws unless this run is the owner.
  void require_ownership() const;

  /// As owner: writes config.ini.
  void write_config(std::string_view ini) const;
  /// As owner: appends `lines` (JSON objects, each with a newline) to a file and flushes them to the
  /// operating system: all lines or none.
  void append_lines(LineFile file, const std::string& lines) const;
  /// As owner: keeps the lines with step ≤ `step`; replaces the file as a whole.
  void cut_lines(LineFile file, std::int64_t step) const;
  /// As owner: keeps `keep` checkpoints, the one named `newest` and those before it, and the one named `best`
  /// (empty: none); deletes other older ones. Keeps checkpoints newer than `newest`.
  void prune_checkpoints(std::int64_t keep, const std::string& newest, const std::string& best = {}) const;
  /// As owner: lets checkpoints/best.h5 lead to the checkpoint `name`; replaces it as a whole.
  void link_best(const std::string& name) const;
  /// Recreates the folder of checkpoints if it was removed and run.dir still exists; then returns false.
  bool require_checkpoints() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string checkpoints() const { return path_ + "/checkpoints"; }
  [[nodiscard]] std::string path_of(LineFile file) const {
    return path_ + (file == LineFile::kMetrics ? "/metrics.jsonl" : "/hashes.jsonl");
  }

 private:
  [[nodiscard]] std::string owner() const { return path_ + "/owner"; }

  std::string path_;
  bool takes_over_ = false;
  std::string identity_;
  std::string silent_;  ///< content of `owner` that was found to be of no live run
  std::unique_ptr<Heartbeat> heartbeat_;
};

}  // namespace convoy::train
