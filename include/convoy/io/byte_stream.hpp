#pragma once
// Reads a plain or gzip file sequentially. Memory use is fixed, regardless of the file's headers. Called
// by the importers.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy::io {

class ByteStream {
 public:
  /// Opens `path`; a name that ends in ".gz" is read as gzip. Throws IoError; DataError if a .gz file is not
  /// gzip.
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;

  [[nodiscard]] const std::string& path() const;
  /// Upper bound on the bytes of the stream: the file's size, times gzip's largest ratio if compressed.
  [[nodiscard]] std::int64_t most_bytes() const;
  /// Fills `bytes`; returns fewer only at the end. Throws DataError for damaged gzip (wrong checksum,
  /// truncated, bytes after its end), IoError if the system cannot read.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> bytes);
  /// Fills `bytes`; throws DataError "truncated ... (it ends within <what>)" if the stream is shorter.
  void read_exactly(std::span<std::uint8_t> bytes, const std::string& what);
  /// Throws DataError unless everything has been read: "padded ... (it goes on after <what>)".
  void require_end(const std::string& what);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Throws DataError if the content of `path`, decompressed if its name ends in ".gz", is surely something
/// else than plain numbers: "cannot read X (it is an HTML page …)". Called before a message about wrong
/// numbers in it.
void refuse_foreign_content(const std::string& path);

}  // namespace convoy::io
