#pragma once
// An open file of the operating system, whole reads and writes, every return code checked. Private to the io
// room.

#include <cstdint>
#include <string>

namespace convoy::io {

/// Throws IoError: "cannot <doing> <path> (<text of the errno `code`>)".
[[noreturn]] void throw_errno(const std::string& doing, const std::string& path, int code);

/// A file descriptor with its path for messages. Closed at destruction; close() is for writers, who want its
/// errors.
class Descriptor {
 public:
  /// open(2); `doing` names the attempt in the IoError of a failure ("open", "create").
  Descriptor(const std::string& path, int flags, const std::string& doing);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// Reads `bytes` at `offset`; returns fewer only at the end of the file.
  [[nodiscard]] std::int64_t read(void* data, std::int64_t bytes, std::int64_t offset) const;
  /// Writes all `bytes` at `offset`.
  void write(const void* data, std::int64_t bytes, std::int64_t offset) const;
  [[nodiscard]] std::int64_t size() const;
  /// False for pipes, folders, devices.
  [[nodiscard]] bool is_regular() const;
  /// Throws IoError where the file, empty now, could not grow to `bytes`; leaves it empty.
  void try_room(std::int64_t bytes) const;
  /// fsync(2).
  void flush() const;
  void close();
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace convoy::io
