#pragma once
// How much memory this process may still take. Who asks: what decides whether pictures are kept in memory,
// and `doctor`.

#include <cstdint>

namespace convoy::data {

/// Bytes: the least of what the machine has left (MemAvailable), what the control groups of versions 1 and 2
/// that this process is in leave, and RLIMIT_AS, each less what is taken; caches of files do not count as
/// taken.
[[nodiscard]] std::int64_t available_memory();

}  // namespace convoy::data
