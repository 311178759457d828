#pragma once
// The bytes of a file from front to back, plain or gzip alike, in memory of fixed size whatever the file
// claims. Private to the data room (the importers).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy::importers {

class ByteStream {
 public:
  /// Opens `path`; a name ending in ".gz" is gzip. Throws IoError, and DataError where a .gz is no gzip.
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;

  [[nodiscard]] const std::string& path() const;
  /// Most bytes the stream can hold: the file's size, times gzip's largest ratio where it is compressed.
  [[nodiscard]] std::int64_t most_bytes() const;
  /// Fills `bytes`; returns fewer only at the end. Throws DataError on damaged gzip (a wrong checksum, a cut
  /// stream, bytes after its end), IoError where the system cannot read.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> bytes);
  /// Fills `bytes`, or throws DataError: "truncated ... (it ends within <what>)".
  void read_exactly(std::span<std::uint8_t> bytes, const std::string& what);
  /// Throws DataError unless everything has been read: "padded ... (it goes on after <what>)".
  void require_end(const std::string& what);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `folder`/`name` or `folder`/`name`.gz, whichever is there. Throws ConfigError where neither is, or no such
/// folder.
[[nodiscard]] ByteStream open_either(const std::string& folder, const std::string& name);

}  // namespace convoy::importers
