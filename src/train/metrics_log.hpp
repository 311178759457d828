#pragma once
// The lines of metrics.jsonl on their way to the disk. One that cannot be written (disk full) waits for the
// next try, so that it does not cost the run. Private to the train room; rank 0 calls.

#include <string>

#include "convoy/train/observer.hpp"
#include "convoy/train/run_directory.hpp"

namespace convoy::train {

class MetricsLog {
 public:
  /// Both must outlive it.
  MetricsLog(const RunDirectory& directory, Observer& listener)
      : directory_(directory), listener_(listener) {}

  /// One JSON object. Throws Error where another run has taken run.dir over.
  void append(const std::string& json);
  /// Throws IoError where there are lines that still cannot be written.
  void flush();

 private:
  const RunDirectory& directory_;
  Observer& listener_;
  std::string waiting_;  // whole lines
};

}  // namespace convoy::train
