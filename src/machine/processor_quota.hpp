#pragma once
// How much processor time control groups grant this process. Private to the machine room.

#include <optional>
#include <string>

namespace convoy::machine {

/// A limit of processor time.
struct ProcessorQuota {
  double processors = 0;  ///< processor seconds per second
  std::string group;      ///< folder of the control group that sets it
};

/// The tightest limit of this process's control group and of those above it (cpu.max, or cpu.cfs_quota_us of
/// version 1); nothing without a limit, or if the system does not tell. `root`: where /proc and the control
/// groups lie, for tests.
[[nodiscard]] std::optional<ProcessorQuota> processor_quota(const std::string& root = "");

}  // namespace convoy::machine
