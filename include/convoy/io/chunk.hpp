#pragma once
// HDF5's filters without libhdf5, which is not thread-safe: any thread of any rank makes a chunk ready for
// the file, and the one that writes it has nothing left to compute (File::write_chunk).

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/io/hdf5_file.hpp"

namespace convoy::io {

/// A whole chunk of single bytes as the file holds it under `storage`: deflated (shuffle leaves single bytes
/// as they are), then followed by the Fletcher-32 checksum of what came out.
[[nodiscard]] std::vector<std::uint8_t> filter_chunk(std::span<const std::uint8_t> chunk,
                                                     const Storage& storage);

}  // namespace convoy::io
