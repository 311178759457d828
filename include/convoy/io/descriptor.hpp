#pragma once
// A file descriptor with complete reads and writes; every return code is checked. Private to the io room.

#include <cstdint>
#include <string>

namespace convoy::io {

/// Throws IoError "cannot <doing> <path> (<text of errno `code`>)".
[[noreturn]] void throw_errno(const std::string& doing, const std::string& path, int code);

/// A file descriptor and its path (for messages). The destructor closes and ignores errors; writers call
/// close() to get them.
class Descriptor {
 public:
  /// Calls open(2); `doing` is the verb in the IoError of a failure ("open", "create").
  Descriptor(const std::string& path, int flags, const std::string& doing);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  /// Reads `bytes` at `offset`. Returns fewer only at the end of the file.
  [[nodiscard]] std::int64_t read(void* data, std::int64_t bytes, std::int64_t offset) const;
  /// Writes all `bytes` at `offset`.
  void write(const void* data, std::int64_t bytes, std::int64_t offset) const;
  [[nodiscard]] std::int64_t size() const;
  /// False for pipes, folders, devices.
  [[nodiscard]] bool is_regular() const;
  /// Checks that the file, which must be empty, can grow to `bytes`. Throws IoError if not. Leaves it empty.
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
