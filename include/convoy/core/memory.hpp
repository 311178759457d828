#pragma once
// How much memory this process holds and may still take (Linux).

#include <cstdint>

namespace convoy {

/// Bytes: the least of what the machine has left (MemAvailable), what the control groups of versions 1 and 2
/// that this process is in leave, and RLIMIT_AS, each less what is taken; caches of files do not count as
/// taken.
[[nodiscard]] std::int64_t available_memory();

/// Bytes of memory this process holds now (resident set); 0 if the system does not say.
[[nodiscard]] std::int64_t resident_bytes();

}  // namespace convoy
