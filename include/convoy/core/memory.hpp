#pragma once
// The memory that this process uses and may still allocate (Linux).

#include <cstdint>

namespace convoy {

/// Bytes: the minimum of the machine's available memory (MemAvailable), the remaining limits of the process's
/// control groups (versions 1 and 2), and the rest of RLIMIT_AS. File caches do not count as used.
[[nodiscard]] std::int64_t available_memory();

/// Bytes of memory in use by this process (resident set); 0 if the system does not report it.
[[nodiscard]] std::int64_t resident_bytes();

/// Bytes left for memory that processes share (/dev/shm), the largest number if the system does not tell.
[[nodiscard]] std::int64_t free_shared_memory();

}  // namespace convoy
