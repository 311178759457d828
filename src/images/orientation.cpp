#include "orientation.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace convoy::images {
namespace {

/// Reads numbers of a TIFF structure; 0 beyond its end.
class Tiff {
 public:
  explicit Tiff(std::span<const std::uint8_t> bytes) : bytes_(bytes), is_little_(byte(0) == 'I') {}

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value = value << 8U | byte(is_little_ ? at + count - 1 - i : at + i);
    return value;
  }

 private:
  [[nodiscard]] std::uint8_t byte(std::size_t at) const { return at < bytes_.size() ? bytes_[at] : 0; }

  std::span<const std::uint8_t> bytes_;
  bool is_little_;
};

}  // namespace

int orientation_of(std::span<const std::uint8_t> app1) {
  constexpr std::array<std::uint8_t, 6> kExif{'E', 'x', 'i', 'f', 0, 0};
  if (app1.size() < kExif.size() || !std::ranges::equal(kExif, app1.first(kExif.size()))) return 1;
  return orientation_of_tiff(app1.subspan(kExif.size()));
}

int orientation_of_tiff(std::span<const std::uint8_t> bytes) {
  // A TIFF header and its first directory of 12-byte entries (EXIF 2.3, 4.5).
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::uint32_t kMostEntries = 512;
  constexpr std::size_t kEntryBytes = 12;
  const Tiff tiff(bytes);
  const std::size_t directory = tiff.number(4, 4);
  const std::uint32_t entries = std::min(tiff.number(directory, 2), kMostEntries);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (tiff.number(entry, 2) != kOrientation) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1) return image;
  const Shape from = image.shape;
  Image turned{exchanges_sides(orientation) ? Shape{from.c, from.w, from.h} : from,
               std::vector<std::uint8_t>(image.pixels.size())};
  const Shape to = turned.shape;
  const bool is_upside_down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool is_mirrored = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  std::size_t next = 0;
  for (std::int64_t c = 0; c < to.c; ++c) {
    for (std::int64_t y = 0; y < to.h; ++y) {
      for (std::int64_t x = 0; x < to.w; ++x) {
        // The stored pixel that is seen at (y, x).
        std::int64_t row = exchanges_sides(orientation) ? x : y;
        std::int64_t column = exchanges_sides(orientation) ? y : x;
        if (exchanges_sides(orientation) ? is_mirrored : is_upside_down) row = from.h - 1 - row;
        if (exchanges_sides(orientation) ? is_upside_down : is_mirrored) column = from.w - 1 - column;
        turned.pixels[next++] = image.pixels[static_cast<std::size_t>((c * from.h + row) * from.w + column)];
      }
    }
  }
  return turned;
}

}  // namespace convoy::images
