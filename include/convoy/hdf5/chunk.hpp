#pragma once
// HDF5's filters without libhdf5, which is not thread-safe. Any thread of any rank can prepare a chunk; the
// writing rank then computes nothing (File::write_chunk).

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/hdf5/file.hpp"

namespace convoy::io {

/// Filters a whole chunk of elements of `element_bytes` as `storage` requires: shuffle and deflate, then
/// append the Fletcher-32 checksum of the compressed bytes. Returns the bytes of the file.
[[nodiscard]] std::vector<std::uint8_t> filter_chunk(std::span<const std::uint8_t> chunk,
                                                     const Storage& storage, std::size_t element_bytes = 1);

}  // namespace convoy::io
