#pragma once
// Reads whole chunks of a data set as they are stored, and decompresses them on any threads: libhdf5 is not
// thread-safe and decompresses on one.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::io {

class ChunkReader {
 public:
  /// A chunk as stored.
  struct Stored {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::uint32_t skipped = 0;  ///< bit i: filter i was not applied to this chunk
  };

  /// For a data set of `file`, which must outlive the reader, whose chunks are ranges of whole rows, elements
  /// are `type` (bytes, or floats of this machine's order), and filters are at most shuffle, deflate and
  /// Fletcher-32. Nothing for any other data set: read it by File::read_rows().
  [[nodiscard]] static std::optional<ChunkReader> open(const File& file, const std::string& dataset,
                                                       ElementType type);
  ~ChunkReader();
  ChunkReader(ChunkReader&&) noexcept;
  ChunkReader& operator=(ChunkReader&&) noexcept;

  [[nodiscard]] std::int64_t rows_per_chunk() const;
  /// Calls libhdf5. Nothing if the chunk was never written. Throws as File::read_rows().
  [[nodiscard]] std::optional<Stored> read(std::int64_t chunk) const;
  /// Any thread may call. Fills `rows`, exactly as large as a whole chunk. False if the chunk is damaged:
  /// File::read_rows() then says how.
  [[nodiscard]] bool decode(const Stored& stored, std::span<std::byte> rows) const;

 private:
  struct Impl;
  explicit ChunkReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::io
