#pragma once
// Reads a plain or gzip file sequentially. Memory use is fixed, regardless of the file's headers. Private to
// the importers room.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy::importers {

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

/// Opens `folder`/`name` or `folder`/`name`.gz. Throws ConfigError if both are missing, or the folder; it
/// says what lies there, and `hint`, if anything does.
[[nodiscard]] ByteStream open_either(const std::string& folder, const std::string& name,
                                     const std::string& hint = {});

/// "; there are a, b and 3 more", the files and folders of a folder; empty if there are none.
[[nodiscard]] std::string what_lies_in(const std::string& folder);

}  // namespace convoy::importers
