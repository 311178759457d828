#pragma once
// What the fuzzers share. An input either is read or ends in one of Convoy's own errors that names the file;
// anything else (another exception, a signal, a sanitizer's report, too much memory or time) is a finding.

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "convoy/core/error.hpp"

namespace convoy::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// A folder of this process's own, in memory, removed at its end.
inline const std::string& scratch() {
  struct Folder {
    Folder() {
      if (::mkdtemp(path.data()) == nullptr) std::abort();
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
    std::string path = "/dev/shm/convoy-fuzz-XXXXXX";
  };
  static const Folder folder;
  return folder.path;
}

inline void write_file(const std::string& path, Bytes bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) std::abort();
}

/// Takes integers and pieces off the front of an input; zeros and less where it ends.
class Taker {
 public:
  explicit Taker(Bytes bytes) : bytes_(bytes) {}
  Bytes take(std::size_t size) {
    const Bytes piece = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(piece.size());
    return piece;
  }
  unsigned byte() {
    const Bytes piece = take(1);
    return piece.empty() ? 0 : piece[0];
  }
  unsigned word() {
    const unsigned low = byte();
    return low + 256 * byte();
  }
  Bytes rest() { return take(bytes_.size()); }

 private:
  Bytes bytes_;
};

/// How a file lies there.
enum class Form : unsigned { kPlain, kCompressed, kBytesOfGzip };

/// Writes `bytes` to `path`: plain, as gzip of them, or as what claims to be a .gz.
inline void write_as(Form form, const std::string& path, Bytes bytes) {
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".gz");
  if (form == Form::kPlain) return write_file(path, bytes);
  if (form == Form::kBytesOfGzip) return write_file(path + ".gz", bytes);
  const gzFile out = ::gzopen((path + ".gz").c_str(), "wb1");
  if (out == nullptr) std::abort();
  ::gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  ::gzclose(out);
}

/// Calls `action`. An error of Convoy's own must name `named`; all others go through.
template <class Action>
void expect_result_or_error(std::string_view named, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find(named) != std::string_view::npos) return;
    std::fprintf(stderr, "an error that does not name %s: %s\n", std::string(named).c_str(), error.what());
    std::abort();
  }
}

}  // namespace convoy::fuzz
