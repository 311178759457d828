#include "convoy/io/checksum.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"

namespace convoy::io {
namespace {

using Block = std::array<char, kUserBlockBytes>;
constexpr std::string_view kMagic = "convoy-sum 1 xxh128 ";
constexpr std::string_view kName = "convoy-sum";
constexpr std::string_view kAlgorithm = " 1 xxh128 ";

struct Stated {
  Digest digest;
  std::int64_t bytes = 0;
};

Block make_block(const Stated& stated) {
  const std::string line = fmt::format("{}{} {}\n", kMagic, to_hex(stated.digest), stated.bytes);
  Block block{};
  std::ranges::copy(line, block.begin());
  return block;
}

// Either half of the magic identifies a Convoy file, so that a flipped bit is reported as damage, not as
// absence.
bool is_ours(std::string_view block) {
  return block.starts_with(kName) ||
         block.substr(std::min(block.size(), kName.size())).starts_with(kAlgorithm);
}

std::optional<std::uint64_t> parse_hex(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Parses the user block. Returns nothing unless it is byte for byte what make_block writes.
std::optional<Stated> parse_block(const Block& block) {
  const std::string_view text(block.data(), block.size());
  const auto line_end = text.find('\n');
  const std::size_t size_at = kMagic.size() + 33;
  if (line_end == std::string_view::npos || line_end <= size_at) return std::nullopt;
  const auto high = parse_hex(text.substr(kMagic.size(), 16));
  const auto low = parse_hex(text.substr(kMagic.size() + 16, 16));
  const auto bytes = parse_integer(text.substr(size_at, line_end - size_at));
  if (!high || !low || !bytes) return std::nullopt;
  const Stated stated{{*high, *low}, *bytes};
  return make_block(stated) == block ? std::optional(stated) : std::nullopt;
}

using Meanwhile = std::function<void(std::int64_t)>;

Digest hash_from(const Descriptor& file, std::int64_t offset, Source source, const Meanwhile& meanwhile) {
  constexpr std::int64_t kMostAtOnce = std::int64_t{1} << 20;
  if (source == Source::kDisk) (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  // One byte more than a small file has, so that one reading finds its end: thousands of them are hashed.
  std::vector<char> piece(
      static_cast<std::size_t>(std::clamp(file.size() - offset + 1, std::int64_t{1}, kMostAtOnce)));
  const auto size = static_cast<std::int64_t>(piece.size());
  Hasher hasher;
  while (true) {
    const std::int64_t got = file.read(piece.data(), size, offset);
    hasher.update(piece.data(), static_cast<std::size_t>(got));
    offset += got;
    if (meanwhile) meanwhile(got);
    if (got < size) return hasher.digest();
  }
}

enum class Extent { kUserBlock, kWholeFile };

ChecksumResult check(const std::string& path, Extent extent, Source source, const Meanwhile& meanwhile) {
  require_regular_file(path);
  const Descriptor file(path, O_RDONLY, "open");
  Block block{};
  const std::int64_t got = file.read(block.data(), kUserBlockBytes, 0);
  ChecksumResult result;
  if (!is_ours({block.data(), static_cast<std::size_t>(got)})) {
    result.detail = "no checksum (the file was not written by Convoy)";
    if (extent == Extent::kWholeFile) result.digest = hash_from(file, 0, source, meanwhile);
    return result;
  }
  const auto stated = parse_block(block);
  const std::int64_t bytes = file.size();
  if (!stated) {
    result.state = ChecksumState::kMalformed;
    result.detail =
        got < kUserBlockBytes ? "truncated: " + grouped(bytes) + " bytes" : "its first 512 bytes are damaged";
    return result;
  }
  if (bytes != stated->bytes) {
    result.state = ChecksumState::kWrongSize;
    result.detail =
        fmt::format("{}: {} bytes where {} were written", bytes < stated->bytes ? "truncated" : "padded",
                    grouped(bytes), grouped(stated->bytes));
    return result;
  }
  result.digest =
      extent == Extent::kWholeFile ? hash_from(file, kUserBlockBytes, source, meanwhile) : stated->digest;
  const bool same = result.digest == stated->digest;
  result.state = same ? ChecksumState::kGood : ChecksumState::kWrongChecksum;
  result.detail = same ? (extent == Extent::kWholeFile ? "checksum good" : "checksum not checked")
                       : fmt::format("damaged: its checksum is {} where {} was written",
                                     to_hex(result.digest), to_hex(stated->digest));
  return result;
}

}  // namespace

ChecksumResult verify_checksum(const std::string& path, Source source, const Meanwhile& meanwhile) {
  return check(path, Extent::kWholeFile, source, meanwhile);
}

ChecksumResult read_checksum(const std::string& path) {
  return check(path, Extent::kUserBlock, Source::kCache, {});
}

void write_checksum(const std::string& path) {
  Descriptor file(path, O_RDWR, "open");
  const std::int64_t bytes = file.size();
  if (bytes < kUserBlockBytes)
    throw IoError(fmt::format("cannot write the checksum of {} (it has {} bytes, no user block of 512)", path,
                              grouped(bytes)));
  const Block block = make_block({hash_from(file, kUserBlockBytes, Source::kDisk, {}), bytes});
  file.write(block.data(), kUserBlockBytes, 0);
  file.close();
}

}  // namespace convoy::io
