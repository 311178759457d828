#pragma once
// Errors and their exit statuses (src/CONTRACT.md, "Exit status").
//
// The library throws; it neither prints nor exits. `main` catches, prints the message once and ends the whole
// job. A message reads `<problem> (<why>) <remedy>`.

#include <stdexcept>
#include <string>

namespace convoy {

/// The exit statuses. Users and job scripts rely on them.
enum class ExitStatus : int {
  kDone = 0,
  kCheckFailed = 1,    ///< a check failed (gradcheck, verify, inspect, doctor)
  kUsage = 2,          ///< usage or configuration
  kBadData = 3,        ///< bad data or a bad checkpoint
  kInputOutput = 4,    ///< input/output failed (disk full, no permission)
  kDiverged = 5,       ///< NaN or infinity in training
  kStalled = 6,        ///< a rank stopped answering
  kDisagreement = 7,   ///< ranks disagree on what must be equal, or memory changed by itself
  kStoppedEarly = 75,  ///< stopped on request or time limit, checkpoint written: run again to continue
  kInterrupted = 130,  ///< 128 + SIGINT: stopped on request, no checkpoint, no files left
  kTerminated = 143,   ///< 128 + SIGTERM: likewise
};

/// Base of all errors thrown by Convoy.
class Error : public std::runtime_error {
 public:
  Error(ExitStatus status, const std::string& message) : std::runtime_error(message), status_(status) {}
  [[nodiscard]] ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

/// Wrong command line or configuration (exit 2).
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(ExitStatus::kUsage, message) {}
};

/// Wrong content of a data set, an input file or a checkpoint (exit 3).
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(ExitStatus::kBadData, message) {}
};

/// The operating system refused to read or write (exit 4).
class IoError : public Error {
 public:
  explicit IoError(const std::string& message) : Error(ExitStatus::kInputOutput, message) {}
};

/// A loss or parameter became NaN or infinite (exit 5).
class DivergedError : public Error {
 public:
  explicit DivergedError(const std::string& message) : Error(ExitStatus::kDiverged, message) {}
};

/// Ranks differ in build, configuration, data or parameters (exit 7).
class DisagreementError : public Error {
 public:
  explicit DisagreementError(const std::string& message) : Error(ExitStatus::kDisagreement, message) {}
};

/// Content of memory changed by itself (exit 7).
class MemoryFaultError : public Error {
 public:
  explicit MemoryFaultError(const std::string& message) : Error(ExitStatus::kDisagreement, message) {}
};

}  // namespace convoy
