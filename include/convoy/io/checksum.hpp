#pragma once
// The checksum that every HDF5 file of ours begins with (src/CONTRACT.md, "Checksums"): a 512-byte user block
// `convoy-sum 1 xxh128 <32 hex> <file size>\n`, zero filled, over all bytes from 512 on. Plain reading and
// writing, without HDF5, so that a damaged file is known before libhdf5 sees it. Not collective: one rank
// calls.

#include <cstdint>
#include <string>

#include "convoy/core/hash.hpp"

namespace convoy::io {

/// Bytes of the user block.
inline constexpr std::int64_t kUserBlockBytes = 512;

enum class ChecksumState {
  kAbsent,         ///< a file without our user block
  kGood,           ///< the bytes are those that were written
  kMalformed,      ///< the user block itself is damaged
  kWrongSize,      ///< truncated or padded
  kWrongChecksum,  ///< the right size, but other bytes
};

/// What verify_checksum found.
struct ChecksumResult {
  ChecksumState state = ChecksumState::kAbsent;
  Digest digest;       ///< of the bytes from 512 on; of the whole file if there is no checksum
  std::string detail;  ///< for people: "checksum good", "truncated: 1,000 of 2,000 bytes"

  [[nodiscard]] bool damaged() const {
    return state != ChecksumState::kAbsent && state != ChecksumState::kGood;
  }
};

/// Reads the whole file and compares. Throws IoError where it cannot be read.
[[nodiscard]] ChecksumResult verify_checksum(const std::string& path);

/// The same without reading beyond the user block: kGood means that it is well formed and the size is right,
/// and `digest` is what it states. Where it is absent, `digest` stays zero.
[[nodiscard]] ChecksumResult read_checksum(const std::string& path);

/// Fills in the user block of a closed file whose first 512 bytes are set aside for it. Throws IoError.
void write_checksum(const std::string& path);

}  // namespace convoy::io
