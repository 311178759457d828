#pragma once
// The checksum of HDF5's filter.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace convoy::io {

// HDF5's Fletcher-32: big-endian 16-bit words (a last odd byte is a high byte); both sums folded to 16 bits
// as ones' complement.
inline std::uint32_t fletcher32(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kWordsBetweenFolds = 360;  // no sum overflows in 360 words
  const auto fold = [](std::uint32_t sum) { return (sum & 0xFFFF) + (sum >> 16); };
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  const std::size_t words = bytes.size() / 2;
  for (std::size_t i = 0; i < words;) {
    const std::size_t end = std::min(words, i + kWordsBetweenFolds);
    for (; i < end; ++i) {
      first += static_cast<std::uint32_t>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
      second += first;
    }
    first = fold(first);
    second = fold(second);
  }
  if (bytes.size() % 2 != 0) {
    first = fold(first + (static_cast<std::uint32_t>(bytes.back()) << 8));
    second = fold(second + first);
  }
  return fold(second) << 16 | fold(first);
}

}  // namespace convoy::io
