#pragma once
// Writes the lines of metrics.jsonl and hashes.jsonl. A line that cannot be written (disk full) is kept for
// the next try, so that the error does not end the run. Private to the train room; called on rank 0.

#include <string>

#include "convoy/train/observer.hpp"
#include "convoy/train/run_directory.hpp"

namespace convoy::train {

class RunLog {
 public:
  /// `directory` and `listener` must outlive the log.
  RunLog(const RunDirectory& directory, LineFile file, Observer& listener)
      : directory_(directory), file_(file), listener_(listener) {}

  /// Appends one JSON object. Throws Error if another run owns run.dir.
  void append(const std::string& json);
  /// Throws IoError if there are lines that still cannot be written.
  void flush();

 private:
  const RunDirectory& directory_;
  LineFile file_;
  Observer& listener_;
  std::string waiting_;  // whole lines
};

}  // namespace convoy::train
