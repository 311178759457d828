#include "convoy/io/byte_stream.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"

namespace convoy::io {

struct ByteStream::Impl {
  explicit Impl(const std::string& name)
      : path((require_regular_file(name), name)),
        file(name, O_RDONLY, "open"),
        compressed(name.ends_with(".gz")) {
    constexpr int kGzipWindow = 15 + 16;  // largest window; accept only gzip headers
    if (compressed && ::inflateInit2(&inflater, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Impl() {
    if (compressed) ::inflateEnd(&inflater);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::string path;
  Descriptor file;
  bool compressed;
  std::int64_t offset = 0;
  z_stream inflater{};
  bool at_member_start = true;
  bool any_member = false;
  std::array<std::uint8_t, 1 << 16> input;

  [[noreturn]] void throw_damaged(const std::string& why) const {
    std::array<char, 512> bytes{};
    const std::string_view head(bytes.data(),
                                static_cast<std::size_t>(file.read(bytes.data(), bytes.size(), 0)));
    const bool is_other = !head.empty() && !head.starts_with("\x1f\x8b");
    if (const std::string kind = kind_of_content(head); is_other && !kind.empty())
      throw DataError(fmt::format("{} is no gzip file ({})", path, kind));
    throw DataError(fmt::format("damaged gzip file {} ({}); copy or download it again", path, why));
  }

  void refill() {
    const std::int64_t got = file.read(input.data(), static_cast<std::int64_t>(input.size()), offset);
    offset += got;
    inflater.next_in = input.data();
    inflater.avail_in = static_cast<uInt>(got);
  }

  std::size_t inflate_into(std::span<std::uint8_t> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      if (inflater.avail_in == 0) refill();
      if (inflater.avail_in == 0) {
        if (at_member_start && any_member) break;
        throw_damaged(any_member || !at_member_start ? "it is cut short" : "it is empty");
      }
      at_member_start = false;
      const std::size_t piece = std::min<std::size_t>(bytes.size() - done, std::size_t{1} << 30);
      inflater.next_out = bytes.data() + done;
      inflater.avail_out = static_cast<uInt>(piece);
      const int result = ::inflate(&inflater, Z_NO_FLUSH);
      done += piece - inflater.avail_out;
      if (result == Z_STREAM_END) {
        // Several gzip members may follow each other. Other bytes after the end fail as a wrong header.
        at_member_start = true;
        any_member = true;
        ::inflateReset(&inflater);
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        throw_damaged(inflater.msg != nullptr ? inflater.msg : "zlib error " + std::to_string(result));
      }
    }
    return done;
  }
};

ByteStream::ByteStream(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;

const std::string& ByteStream::path() const {
  return impl_->path;
}

std::int64_t ByteStream::most_bytes() const {
  constexpr std::int64_t kMostRatio = 1032;  // deflate: at most 258 bytes in 2 bits
  return impl_->file.size() * (impl_->compressed ? kMostRatio : 1);
}

std::size_t ByteStream::read(std::span<std::uint8_t> bytes) {
  if (impl_->compressed) return impl_->inflate_into(bytes);
  const std::int64_t got =
      impl_->file.read(bytes.data(), static_cast<std::int64_t>(bytes.size()), impl_->offset);
  impl_->offset += got;
  return static_cast<std::size_t>(got);
}

void ByteStream::read_exactly(std::span<std::uint8_t> bytes, const std::string& what) {
  if (read(bytes) < bytes.size()) {
    refuse_foreign_content(impl_->path);
    throw DataError(
        fmt::format("truncated file {} (it ends within {}); copy or download it again", impl_->path, what));
  }
}

void ByteStream::require_end(const std::string& what) {
  std::uint8_t one = 0;
  if (read({&one, 1}) > 0)
    throw DataError(
        fmt::format("padded file {} (it goes on after {}); copy or download it again", impl_->path, what));
}

void refuse_foreign_content(const std::string& path) {
  std::array<std::uint8_t, 512> bytes{};
  ByteStream stream(path);
  const std::size_t size = stream.read(bytes);
  const std::string kind = kind_of_content({reinterpret_cast<const char*>(bytes.data()), size});
  if (size > 0 && !kind.empty()) throw DataError(fmt::format("cannot read {} ({})", path, kind));
}

}  // namespace convoy::io
