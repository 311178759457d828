#pragma once
// The checksum of Convoy's HDF5 files (src/CONTRACT.md, "Checksums"): a 512-byte user block `convoy-sum 1
// xxh128 <32 hex> <file size>\n`, zero filled, over all bytes from 512 on. Reads and writes without HDF5, so
// that damage is detected before libhdf5 opens the file. Not collective: one rank calls.

#include <cstdint>
#include <functional>
#include <string>

#include "convoy/core/hash.hpp"

namespace convoy::io {

/// Bytes of the user block.
inline constexpr std::int64_t kUserBlockBytes = 512;

enum class ChecksumState {
  kAbsent,         ///< no user block of Convoy
  kGood,           ///< checksum and size match
  kMalformed,      ///< the user block is damaged
  kWrongSize,      ///< truncated or padded
  kWrongChecksum,  ///< the size is right, the content is not
};

/// Result of verify_checksum and read_checksum.
struct ChecksumResult {
  ChecksumState state = ChecksumState::kAbsent;
  Digest digest;       ///< of the bytes from 512 on; of the whole file if there is no checksum
  std::string detail;  ///< for people: "checksum good", "truncated: 1,000 of 2,000 bytes"

  [[nodiscard]] bool damaged() const {
    return state != ChecksumState::kAbsent && state != ChecksumState::kGood;
  }
};

/// Where the bytes come from.
enum class Source {
  kCache,  ///< wherever the system has them, as for the reading that follows
  kDisk,   ///< the disk, if the system allows: what was just written may be right in the page cache alone
};

/// Reads the whole file and compares. Calls `meanwhile`, if any, with the number of bytes after each piece;
/// what it throws ends the reading. Throws IoError if the file cannot be read.
[[nodiscard]] ChecksumResult verify_checksum(const std::string& path, Source source = Source::kCache,
                                             const std::function<void(std::int64_t)>& meanwhile = {});

/// Reads only the user block. kGood: the block is well formed and the size is right; `digest` is then the
/// stated one. If the block is absent, `digest` is zero.
[[nodiscard]] ChecksumResult read_checksum(const std::string& path);

/// Writes the user block of a closed file whose first 512 bytes are reserved for it. Throws IoError.
void write_checksum(const std::string& path);

}  // namespace convoy::io
