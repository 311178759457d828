#include "digest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "convoy/core/error.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/file_system.hpp"
#include "read_in_child.hpp"

namespace convoy::data {
namespace {

// True if the whole of `path` is hashed: it is small enough for that, or asked for.
bool reads_all(const std::string& path, const Options& options) {
  constexpr std::int64_t kCheapBytes = std::int64_t{4} << 30;
  return options.verify || io::file_size(path) <= kCheapBytes;
}

// Pieces of a large file without checksum that are hashed, and bytes of each.
constexpr std::int64_t kPieces = 4096;
constexpr std::int64_t kPieceBytes = 65536;

// Bytes of `path` that check_file() reads.
std::int64_t bytes_to_check(const std::string& path, const Options& options) {
  if (reads_all(path, options)) return io::file_size(path);
  return io::read_checksum(path).state == io::ChecksumState::kAbsent ? kPieces * kPieceBytes : 0;
}

LoadProgress progress_over(const std::vector<std::string>& files, const Options& options,
                           LoadObserver* observer) {
  std::int64_t total = 0;
  for (const std::string& file : files) total += bytes_to_check(file, options);
  return {observer, "checksums", total};
}

// Digest of a large third-party file without checksum: its size and evenly spaced pieces.
Digest sampled_digest(const std::string& path, LoadProgress& progress) {
  const std::int64_t size = io::file_size(path);
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> piece(kPieceBytes);
  Hasher hasher;
  hasher.update(std::to_string(size) + '\n');
  for (std::int64_t i = 0; i < kPieces; ++i) {
    stream.seekg((size - kPieceBytes) / (kPieces - 1) * i);
    stream.read(piece.data(), kPieceBytes);
    hasher.update(piece.data(), static_cast<std::size_t>(stream.gcount()));
    progress.add(kPieceBytes);
  }
  if (!stream.good()) throw IoError("cannot read " + path);
  return hasher.digest();
}

// Checks that the file exists and, if it has a checksum, is intact; returns its digest. Run by one rank of a
// node.
std::string check_file(const std::string& path, const Options& options, LoadProgress& progress) {
  io::ChecksumResult check = io::read_checksum(path);
  const bool read_all = reads_all(path, options);
  if (check.state == io::ChecksumState::kAbsent && !read_all) return to_hex(sampled_digest(path, progress));
  if (check.state == io::ChecksumState::kAbsent || (check.state == io::ChecksumState::kGood && read_all))
    check = io::verify_checksum(path, io::Source::kCache, progress.adder());
  if (check.damaged())
    throw DataError(
        fmt::format("damaged data set {} ({}); make it again or copy it again", path, check.detail));
  return to_hex(check.digest);
}

// True if no verified checksum protects libhdf5, which may crash, from the content of `path`.
bool is_unverified(const std::string& path, const Options& options) {
  const io::ChecksumState state = io::read_checksum(path).state;
  const bool read_all = reads_all(path, options);
  return state == io::ChecksumState::kAbsent || (state == io::ChecksumState::kGood && !read_all);
}

}  // namespace

std::string check_files(const std::vector<std::string>& files, const Options& options,
                        LoadObserver* observer) {
  LoadProgress progress = progress_over(files, options, observer);
  std::vector<std::string> unverified;
  for (const std::string& file : files)
    if (is_unverified(file, options)) unverified.push_back(file);
  read_in_child(unverified, options, [&] { progress.add(0); });
  if (files.size() == 1) return check_file(files.front(), options, progress);
  Hasher hasher;
  for (const std::string& file : files) hasher.update(check_file(file, options, progress) + '\n');
  return to_hex(hasher.digest());
}

std::string digest_with(const std::string& digest, const std::vector<std::string>& others,
                        const Options& options, LoadObserver* observer) {
  LoadProgress progress = progress_over(others, options, observer);
  std::vector<std::string> digests;
  for (const std::string& file : others) {
    const Digest each = reads_all(file, options)
                            ? io::verify_checksum(file, io::Source::kCache, progress.adder()).digest
                            : sampled_digest(file, progress);
    digests.push_back(to_hex(each));
  }
  std::ranges::sort(digests);
  Hasher hasher;
  hasher.update(digest + '\n');
  for (const std::string& each : digests) hasher.update(each + '\n');
  return to_hex(hasher.digest());
}

Digest fingerprint(const std::vector<std::string>& files) {
  Hasher hasher;
  for (const std::string& path : files) {
    std::ifstream stream(path, std::ios::binary);
    std::array<char, io::kUserBlockBytes> head{};
    stream.read(head.data(), head.size());
    hasher.update(std::to_string(io::file_size(path)) + '\n');
    hasher.update(head.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return hasher.digest();
}

}  // namespace convoy::data
