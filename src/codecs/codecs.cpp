#include "convoy/codecs/codecs.hpp"

#include <zlib.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <memory>
#include <new>

#ifdef CONVOY_HAS_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef CONVOY_HAS_LZ4
#include <lz4.h>
#endif
#ifdef CONVOY_HAS_ZSTD
#include <zstd.h>
#endif
#ifdef CONVOY_HAS_BLOSC
#include <blosc.h>
#endif

namespace convoy::io {

std::uint64_t big_endian(Bytes bytes, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i) number = number << 8 | static_cast<std::uint64_t>(bytes[i]);
  return number;
}

#ifdef CONVOY_HAS_LIBDEFLATE

std::string_view gzip_library() {
  return "libdeflate";
}

bool decode_gzip(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  struct Free {
    void operator()(libdeflate_decompressor* each) const { libdeflate_free_decompressor(each); }
  };
  // Its tables take some kilobytes; it keeps nothing between calls.
  thread_local const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) throw std::bad_alloc();
  return libdeflate_zlib_decompress(decompressor.get(), packed.data(), packed.size(), whole.data(),
                                    whole.size(), nullptr) == LIBDEFLATE_SUCCESS;
}

#else

std::string_view gzip_library() {
  return "zlib";
}

bool decode_gzip(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  auto size = static_cast<uLongf>(whole.size());
  return ::uncompress(reinterpret_cast<Bytef*>(whole.data()), &size,
                      reinterpret_cast<const Bytef*>(packed.data()),
                      static_cast<uLong>(packed.size())) == Z_OK &&
         size == whole.size();
}

#endif

std::optional<std::size_t> lzf_size(Bytes /*packed*/, Settings settings) {
  constexpr std::size_t kChunkBytes = 2;
  if (settings.size() <= kChunkBytes) return std::nullopt;  // of h5py before 1.2
  return settings[kChunkBytes];
}

// A byte below 32 is followed by one plain byte more than it says. Any other has the length of a repetition
// in its upper three bits (7: more in the next byte), two less than it is, and then in 13 bits how far before
// the end it begins, one less.
bool decode_lzf(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  constexpr unsigned kPlain = 32;
  constexpr std::size_t kLongLength = 7;
  std::size_t in = 0;
  std::size_t out = 0;
  while (in < packed.size()) {
    const auto control = static_cast<unsigned>(packed[in++]);
    if (control < kPlain) {
      const std::size_t length = control + 1;
      if (length > packed.size() - in || length > whole.size() - out) return false;
      std::memcpy(whole.data() + out, packed.data() + in, length);
      in += length;
      out += length;
      continue;
    }
    std::size_t length = control >> 5;
    const std::size_t more = length == kLongLength ? 2 : 1;
    if (more > packed.size() - in) return false;
    if (length == kLongLength) length += static_cast<std::size_t>(packed[in++]);
    const std::size_t back = ((control & 31U) << 8 | static_cast<unsigned>(packed[in++])) + 1;
    length += 2;
    if (back > out || length > whole.size() - out) return false;
    std::byte* const to = whole.data() + out;
    const std::byte* const from = to - back;
    if (back >= length)
      std::memcpy(to, from, length);
    else
      for (std::size_t i = 0; i < length; ++i) to[i] = from[i];
    out += length;
  }
  return out == whole.size();
}

#ifdef CONVOY_HAS_LZ4

bool has_lz4() {
  return true;
}

bool decode_lz4_block(Bytes packed, std::span<std::byte> whole) {
  if (packed.size() > INT_MAX || whole.size() > INT_MAX) return false;
  const int size =
      LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), reinterpret_cast<char*>(whole.data()),
                          static_cast<int>(packed.size()), static_cast<int>(whole.size()));
  return size >= 0 && static_cast<std::size_t>(size) == whole.size();
}

#else

bool has_lz4() {
  return false;
}

bool decode_lz4_block(Bytes /*packed*/, std::span<std::byte> /*whole*/) {
  return false;
}

#endif

std::optional<std::size_t> lz4_size(Bytes packed, Settings /*settings*/) {
  if (packed.size() < 8) return std::nullopt;
  return big_endian(packed, 8);
}

namespace {

[[maybe_unused]] bool decode_lz4(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  constexpr std::size_t kHeader = 12;
  constexpr std::size_t kSizeBytes = 4;
  if (packed.size() < kHeader || big_endian(packed, 8) != whole.size()) return false;
  const std::size_t most = big_endian(packed.subspan(8), kSizeBytes);
  packed = packed.subspan(kHeader);
  while (!whole.empty()) {
    const std::span<std::byte> block = whole.first(std::min(most, whole.size()));
    if (block.empty() || packed.size() < kSizeBytes) return false;
    const std::size_t size = big_endian(packed, kSizeBytes);
    packed = packed.subspan(kSizeBytes);
    if (size > packed.size()) return false;
    if (size == block.size())
      std::ranges::copy(packed.first(size), block.begin());
    else if (!decode_lz4_block(packed.first(size), block))
      return false;
    packed = packed.subspan(size);
    whole = whole.subspan(block.size());
  }
  return true;
}

}  // namespace

#ifdef CONVOY_HAS_LZ4
const Decoder kDecodeLz4 = decode_lz4;
#else
const Decoder kDecodeLz4 = nullptr;
#endif

#ifdef CONVOY_HAS_ZSTD

bool has_zstd() {
  return true;
}

bool decode_zstd_frame(Bytes packed, std::span<std::byte> whole) {
  struct Free {
    void operator()(ZSTD_DCtx* each) const { ZSTD_freeDCtx(each); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  return ZSTD_decompressDCtx(context.get(), whole.data(), whole.size(), packed.data(), packed.size()) ==
         whole.size();
}

std::optional<std::size_t> zstd_size(Bytes packed, Settings /*settings*/) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  return size;
}

namespace {

bool decode_zstd(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  return decode_zstd_frame(packed, whole);
}

}  // namespace

const Decoder kDecodeZstd = decode_zstd;

#else

bool has_zstd() {
  return false;
}

bool decode_zstd_frame(Bytes /*packed*/, std::span<std::byte> /*whole*/) {
  return false;
}

std::optional<std::size_t> zstd_size(Bytes /*packed*/, Settings /*settings*/) {
  return std::nullopt;
}

const Decoder kDecodeZstd = nullptr;

#endif

#ifdef CONVOY_HAS_BLOSC

std::optional<std::size_t> blosc_size(Bytes packed, Settings /*settings*/) {
  std::size_t size = 0;
  if (packed.size() < BLOSC_MIN_HEADER_LENGTH ||
      blosc_cbuffer_validate(packed.data(), packed.size(), &size) != 0)
    return std::nullopt;
  return size;
}

namespace {

bool decode_blosc(Bytes packed, Settings settings, std::span<std::byte> whole) {
  constexpr int kThreads = 1;
  // A buffer of another size than its header says, or one that decodes to another, is damaged.
  return blosc_size(packed, settings) == whole.size() &&
         (whole.empty() || blosc_decompress_ctx(packed.data(), whole.data(), whole.size(), kThreads) ==
                               static_cast<int>(whole.size()));
}

}  // namespace

const Decoder kDecodeBlosc = decode_blosc;

#else

std::optional<std::size_t> blosc_size(Bytes /*packed*/, Settings /*settings*/) {
  return std::nullopt;
}

const Decoder kDecodeBlosc = nullptr;

#endif

}  // namespace convoy::io
