// Bitshuffle (Masui et al. 2015, "A compression scheme for radio data in high performance computing").

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "convoy/codecs/codecs.hpp"

namespace convoy::io {
namespace {

constexpr std::size_t kBits = 8;       // elements that are transposed together
constexpr std::size_t kSizeBytes = 4;  // of a block, before it
constexpr std::size_t kHeaderBytes = 12;
constexpr unsigned kLz4 = 2;
constexpr unsigned kZstd = 3;

struct Kind {
  std::size_t element = 0;  ///< bytes
  std::size_t block = 0;    ///< elements, a multiple of kBits
  unsigned compressor = 0;
};

/// Nothing if the settings are none of bitshuffle's.
std::optional<Kind> kind_of(Settings settings) {
  constexpr std::size_t kElement = 2;
  constexpr std::size_t kBlock = 3;
  constexpr std::size_t kCompressor = 4;
  constexpr std::size_t kBlockBytes = 8192;
  constexpr std::size_t kLeastBlock = 128;
  if (settings.size() <= kElement) return std::nullopt;
  Kind kind{.element = settings[kElement]};
  if (kind.element == 0) return std::nullopt;
  if (settings.size() > kBlock) kind.block = settings[kBlock];
  if (settings.size() > kCompressor) kind.compressor = settings[kCompressor];
  if (kind.block == 0) kind.block = std::max(kBlockBytes / kind.element / kBits * kBits, kLeastBlock);
  if (kind.block % kBits != 0) return std::nullopt;
  return kind;
}

/// The 8x8 bits of `x`, a row a byte, transposed (Hacker's Delight, 7-3).
std::uint64_t transposed(std::uint64_t x) {
  std::uint64_t t = (x ^ x >> 7) & 0x00AA00AA00AA00AA;
  x ^= t ^ t << 7;
  t = (x ^ x >> 14) & 0x0000CCCC0000CCCC;
  x ^= t ^ t << 14;
  t = (x ^ x >> 28) & 0x00000000F0F0F0F0;
  return x ^ t ^ t << 28;
}

/// planes[byte of element][bit][element / 8] -> elements. Both hold elements.size() bytes.
void undo_planes(Bytes planes, std::size_t element, std::span<std::byte> elements) {
  const std::size_t eights = elements.size() / element / kBits;
  for (std::size_t b = 0; b < element; ++b) {
    for (std::size_t i = 0; i < eights; ++i) {
      std::uint64_t bits = 0;
      for (std::size_t k = 0; k < kBits; ++k)
        bits |= static_cast<std::uint64_t>(planes[(b * kBits + k) * eights + i]) << 8 * k;
      bits = transposed(bits);
      for (std::size_t k = 0; k < kBits; ++k)
        elements[(i * kBits + k) * element + b] = static_cast<std::byte>(bits >> 8 * k);
    }
  }
}

/// Decodes the first block of `packed` and steps behind it.
bool decode_block(Bytes& packed, const Kind& kind, std::vector<std::byte>& planes,
                  std::span<std::byte> block) {
  if (kind.compressor == 0) {
    if (packed.size() < block.size()) return false;
    undo_planes(packed.first(block.size()), kind.element, block);
    packed = packed.subspan(block.size());
    return true;
  }
  if (packed.size() < kSizeBytes) return false;
  const std::size_t size = big_endian(packed, kSizeBytes);
  packed = packed.subspan(kSizeBytes);
  if (size > packed.size()) return false;
  planes.resize(block.size());
  const Bytes one = packed.first(size);
  if (!(kind.compressor == kLz4 ? decode_lz4_block(one, planes) : decode_zstd_frame(one, planes)))
    return false;
  undo_planes(planes, kind.element, block);
  packed = packed.subspan(size);
  return true;
}

}  // namespace

std::optional<std::size_t> bitshuffle_size(Bytes packed, Settings settings) {
  const auto kind = kind_of(settings);
  if (!kind) return std::nullopt;
  if (kind->compressor == 0) return packed.size();
  if (packed.size() < kHeaderBytes) return std::nullopt;
  return big_endian(packed, 8);
}

bool decode_bitshuffle(Bytes packed, Settings settings, std::span<std::byte> whole) {
  auto kind = kind_of(settings);
  if (!kind || bitshuffle_size(packed, settings) != whole.size() || whole.size() % kind->element != 0)
    return false;
  if (kind->compressor != 0) {
    if (kind->compressor != kLz4 && kind->compressor != kZstd) return false;
    const std::size_t block_bytes = big_endian(packed.subspan(8), kSizeBytes);
    kind->block = block_bytes / kind->element;
    if (kind->block == 0 || kind->block % kBits != 0 || block_bytes % kind->element != 0) return false;
    packed = packed.subspan(kHeaderBytes);
  }
  std::vector<std::byte> planes;
  while (whole.size() >= kBits * kind->element) {
    const std::size_t elements = std::min(kind->block, whole.size() / kind->element / kBits * kBits);
    const std::span<std::byte> block = whole.first(elements * kind->element);
    if (!decode_block(packed, *kind, planes, block)) return false;
    whole = whole.subspan(block.size());
  }
  if (packed.size() != whole.size()) return false;
  std::ranges::copy(packed, whole.begin());
  return true;
}

}  // namespace convoy::io
