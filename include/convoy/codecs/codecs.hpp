#pragma once
// Decoders of the compressors that HDF5's filters are. Each is a pure function that any thread may call, and
// that trusts nothing in its input: it reads and writes within its spans alone, and allocates by no number
// that it read (except bzip2, which allocates at most 4 MB). gzip is always here and so are lzf and the bits
// of bitshuffle, which Convoy decodes itself; the others need their library at build time
// (src/cmake/dependencies.cmake). Called by the hdf5 room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace convoy::io {

using Bytes = std::span<const std::byte>;
using Settings = std::span<const unsigned>;  ///< the filter's values in the data set's property list

/// Undoes one filter: true if `packed` decodes to exactly `whole`.
using Decoder = bool (*)(Bytes packed, Settings settings, std::span<std::byte> whole);
/// The size that `packed` says it decodes to, which nobody has verified; nothing if it says none.
using DecodedSize = std::optional<std::size_t> (*)(Bytes packed, Settings settings);

bool decode_gzip(Bytes packed, Settings settings, std::span<std::byte> whole);

// lzf: h5py's own. The stream of liblzf without a header; the third setting is the size of a chunk.
bool decode_lzf(Bytes packed, Settings settings, std::span<std::byte> whole);
std::optional<std::size_t> lzf_size(Bytes packed, Settings settings);

// bitshuffle: the bits of each block of elements transposed, then, as settings[4] says, nothing (0), lz4 (2)
// or zstd (3). The compressed form begins with the whole size (8 bytes, high ones first) and that of a block
// (4 bytes); each block stands behind its size (4 bytes). The last elements, fewer than 8, are stored plain.
bool decode_bitshuffle(Bytes packed, Settings settings, std::span<std::byte> whole);
std::optional<std::size_t> bitshuffle_size(Bytes packed, Settings settings);

// lz4 (of The HDF Group's plugins): the whole size (8 bytes, high ones first), that of a block (4), and each
// block behind its size (4); a block that is as large as decoded is stored plain. Null without liblz4.
extern const Decoder kDecodeLz4;
std::optional<std::size_t> lz4_size(Bytes packed, Settings settings);

// zstd: one frame. Null without libzstd.
extern const Decoder kDecodeZstd;
std::optional<std::size_t> zstd_size(Bytes packed, Settings settings);

// blosc (version 1): its buffer with a header of 16 bytes. Null without libblosc.
extern const Decoder kDecodeBlosc;
std::optional<std::size_t> blosc_size(Bytes packed, Settings settings);

// bzip2: one stream, which does not state its size. Null without libbz2.
extern const Decoder kDecodeBzip2;

/// Unsigned number of `count` bytes at the beginning of `bytes`, high ones first. Precondition: they exist.
[[nodiscard]] std::uint64_t big_endian(Bytes bytes, std::size_t count);

/// Decompresses one block of lz4, or frame of zstd, to exactly `whole`; false also without the library.
[[nodiscard]] bool decode_lz4_block(Bytes packed, std::span<std::byte> whole);
[[nodiscard]] bool decode_zstd_frame(Bytes packed, std::span<std::byte> whole);
[[nodiscard]] bool has_lz4();
[[nodiscard]] bool has_zstd();

/// "libdeflate" or "zlib": which inflates.
[[nodiscard]] std::string_view gzip_library();

}  // namespace convoy::io
