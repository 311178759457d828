#pragma once
// Reads rows of a data set on several threads. libhdf5 is not thread-safe and decodes on one thread: here it
// only finds the chunks, and Convoy decodes them; content that is stored as it is needs no libhdf5 at all.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::io {

class RowReader {
 public:
  /// For a data set of `file`, which must outlive the reader, whose elements are stored as `type` is in
  /// memory, contiguously or in chunks of any shape with filters that Convoy decodes. Nothing for any other
  /// data set: read it by File::read_rows(). Throws as File::info().
  [[nodiscard]] static std::optional<RowReader> open(const File& file, const std::string& dataset,
                                                     ElementType type);
  ~RowReader();
  RowReader(RowReader&&) noexcept;
  RowReader& operator=(RowReader&&) noexcept;

  /// Reads `rows` (along the first dimension; they exist) into `dst`, exactly as large, on `threads` threads.
  /// Throws IoError, and DataError that names file, object and chunk.
  void read(const Range& rows, std::span<std::byte> dst, int threads) const;
  /// Makes libhdf5's calls of read() alone (child_process.hpp).
  void fetch(const Range& rows) const;

 private:
  struct Impl;
  explicit RowReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::io
