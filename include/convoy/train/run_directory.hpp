#pragma once
// What a run leaves behind, on rank 0: config.ini, checkpoints/, owner, metrics.jsonl
// (src/CONTRACT.md, "Run directory").
//
// `owner` names the live run. A second run that starts in the same folder (a requeued job whose first
// instance is still alive on a node nobody reaches) takes it over; the first finds that out before its next
// rename, append or deletion, and stops.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace convoy::train {

/// Only rank 0 makes and calls one. All functions throw IoError; those marked "as owner" also Error (4) where
/// another run has taken the folder over.
class RunDirectory {
 public:
  explicit RunDirectory(std::string path) : path_(std::move(path)) {}

  /// Makes the folders, takes ownership, and removes what killed runs left half written.
  void claim();
  /// Throws unless this run is still the owner.
  void require_ownership() const;

  /// As owner: writes config.ini.
  void write_config(std::string_view ini) const;
  /// As owner: appends `lines`, JSON objects each with a newline, to metrics.jsonl and hands them to the
  /// operating system: all of them, or none.
  void append_metrics(const std::string& lines) const;
  /// As owner: keeps the metrics lines with step ≤ `step`; the file is replaced whole.
  void cut_metrics(std::int64_t step) const;
  /// As owner: deletes all but `keep` checkpoints, from the one named `newest` on backwards; newer ones stay.
  void prune_checkpoints(std::int64_t keep, const std::string& newest) const;
  /// Makes the folder of checkpoints again where somebody has removed it from a run.dir that still stands;
  /// false then.
  bool require_checkpoints() const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string checkpoints() const { return path_ + "/checkpoints"; }

 private:
  [[nodiscard]] std::string metrics() const { return path_ + "/metrics.jsonl"; }
  [[nodiscard]] std::string owner() const { return path_ + "/owner"; }

  std::string path_;
  std::string identity_;
};

}  // namespace convoy::train
