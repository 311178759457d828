// BMP of Windows (headers of 40 bytes and more) and OS/2 (12 bytes): 1, 2, 4 and 8 bits with a palette, plain
// or run-length encoded, 16 and 32 bits with any masks, 24 bits; rows from below or from above.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "convoy/images/image_file.hpp"
#include "decoder.hpp"
#include "palette.hpp"

namespace convoy::images {
namespace {

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint32_t kOldHeaderBytes = 12;
constexpr std::uint32_t kHeaderBytes = 40;

enum class Compression : std::uint32_t { kNone = 0, kRle8 = 1, kRle4 = 2, kMasks = 3, kMasksWithAlpha = 6 };

class BmpDecoder final : public ImageDecoder {
 public:
  BmpDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name), bytes_(bytes) {
    pixels_at_ = number(10, 4);
    header_bytes_ = number(kFileHeaderBytes, 4);
    read_header();
    const std::size_t palette_at = kFileHeaderBytes + header_bytes_ + mask_bytes();
    std::size_t end = palette_at;
    if (bits_ <= 8) end = read_palette(palette_at);
    if (pixels_at_ == 0) pixels_at_ = end;
  }

  [[nodiscard]] Shape shape() const override {
    return {bits_ <= 8 ? channels_of(palette_) : 3, height_, width_};
  }

  void decode(std::span<std::uint8_t> pixels) override {
    if (bits_ > 8) {
      decode_masks(pixels);
      return;
    }
    std::vector<std::uint8_t> indices(static_cast<std::size_t>(height_ * width_));
    if (compression_ == Compression::kNone)
      unpack(indices);
    else
      run_lengths(indices);
    expand(indices, palette_, pixels, name_);
  }

 private:
  [[nodiscard]] std::uint8_t byte(std::size_t at) const {
    if (at >= bytes_.size()) throw_bad_image(name_, "it is cut short");
    return bytes_[at];
  }
  /// Little-endian.
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t count) const {
    std::uint32_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8U | byte(at + i);
    return value;
  }

  void read_header() {
    if (header_bytes_ == kOldHeaderBytes) {
      width_ = number(18, 2);
      height_ = number(20, 2);
      bits_ = number(24, 2);
    } else {
      constexpr std::array<std::uint32_t, 6> kKnown{kHeaderBytes, 52, 56, 64, 108, 124};
      if (std::ranges::find(kKnown, header_bytes_) == kKnown.end())
        throw_bad_image(name_, fmt::format("its header of {} bytes is none of BMP", header_bytes_));
      width_ = static_cast<std::int32_t>(number(18, 4));
      height_ = static_cast<std::int32_t>(number(22, 4));
      bits_ = number(28, 2);
      compression_ = static_cast<Compression>(number(30, 4));
      colours_ = number(46, 4);
    }
    is_from_above_ = height_ < 0;
    height_ = std::abs(height_);
    const auto is_any_of = [&](std::initializer_list<std::uint32_t> bits) {
      return std::ranges::find(bits, bits_) != bits.end();
    };
    constexpr std::uint32_t kOs2HeaderBytes = 64;  // its compression 3 is Huffman's
    bool is_known = false;
    switch (compression_) {
      case Compression::kNone:
        is_known = is_any_of({1, 2, 4, 8, 16, 24, 32});
        break;
      case Compression::kRle8:
        is_known = bits_ == 8 && !is_from_above_;
        break;
      case Compression::kRle4:
        is_known = bits_ == 4 && !is_from_above_;
        break;
      case Compression::kMasks:
      case Compression::kMasksWithAlpha:
        is_known = is_any_of({16, 24, 32}) && header_bytes_ != kOs2HeaderBytes;
    }
    if (!is_known)
      throw_bad_image(name_, fmt::format("{} bits a pixel with compression {} are not read", bits_,
                                         static_cast<std::uint32_t>(compression_)));
    if (bits_ > 8) read_masks();
  }

  [[nodiscard]] bool has_masks() const {
    return compression_ == Compression::kMasks || compression_ == Compression::kMasksWithAlpha;
  }
  /// Masks behind a header of 40 bytes; longer ones contain them.
  [[nodiscard]] std::size_t mask_bytes() const {
    if (header_bytes_ != kHeaderBytes || !has_masks()) return 0;
    return compression_ == Compression::kMasks ? 12 : 16;
  }

  void read_masks() {
    if (bits_ == 16)
      masks_ = {0x7C00, 0x03E0, 0x001F};
    else
      masks_ = {0xFF0000, 0x00FF00, 0x0000FF};
    if (!has_masks()) return;
    std::array<std::uint32_t, 3> told{};
    for (std::size_t c = 0; c < told.size(); ++c)
      told.at(c) = number(kFileHeaderBytes + kHeaderBytes + 4 * c, 4);
    if (std::ranges::any_of(told, [](std::uint32_t mask) { return mask != 0; })) masks_ = told;
  }

  /// Returns its end.
  std::size_t read_palette(std::size_t at) {
    const std::size_t entry = header_bytes_ == kOldHeaderBytes ? 3 : 4;
    const std::uint32_t most = 1U << bits_;
    const std::uint32_t count = colours_ == 0 ? most : std::min(colours_, most);
    for (std::uint32_t i = 0; i < count; ++i, at += entry)
      palette_.push_back({byte(at + 2), byte(at + 1), byte(at)});
    return at;
  }

  [[nodiscard]] std::size_t row_of(std::int64_t y) const {
    return static_cast<std::size_t>(is_from_above_ ? y : height_ - 1 - y);
  }

  /// The row that is stored as number `y`.
  [[nodiscard]] std::span<const std::uint8_t> stored_row(std::int64_t y) const {
    const std::int64_t row_bits = width_ * bits_;
    const std::int64_t stride = (row_bits + 31) / 32 * 4;
    const std::int64_t begin = static_cast<std::int64_t>(pixels_at_) + y * stride;
    const std::int64_t count = (row_bits + 7) / 8;
    if (begin + count > static_cast<std::int64_t>(bytes_.size()))
      throw_bad_image(name_, fmt::format("it is cut short, in row {} of {}", y + 1, height_));
    return bytes_.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  }

  void unpack(std::span<std::uint8_t> indices) const {
    const unsigned mask = (1U << bits_) - 1;
    for (std::int64_t y = 0; y < height_; ++y) {
      const auto row = stored_row(y);
      std::uint8_t* to = indices.data() + row_of(y) * static_cast<std::size_t>(width_);
      for (std::size_t x = 0; x < static_cast<std::size_t>(width_); ++x) {
        const std::size_t bit = x * bits_;
        to[x] = static_cast<std::uint8_t>(row[bit / 8] >> (8 - bits_ - bit % 8) & mask);
      }
    }
  }

  void decode_masks(std::span<std::uint8_t> pixels) const {
    std::array<int, 3> shift{};
    std::array<std::uint64_t, 3> most{};
    for (std::size_t c = 0; c < 3; ++c) {
      shift.at(c) = masks_.at(c) == 0 ? 0 : std::countr_zero(masks_.at(c));
      most.at(c) = std::max<std::uint64_t>(masks_.at(c) >> shift.at(c), 1);
    }
    const std::size_t pixel_bytes = bits_ / 8;
    for (std::int64_t y = 0; y < height_; ++y) {
      const auto row = stored_row(y);
      std::uint8_t* to = pixels.data() + row_of(y) * static_cast<std::size_t>(width_) * 3;
      for (std::size_t x = 0; x < static_cast<std::size_t>(width_); ++x) {
        std::uint32_t pixel = 0;
        for (std::size_t i = pixel_bytes; i-- > 0;) pixel = pixel << 8U | row[x * pixel_bytes + i];
        for (std::size_t c = 0; c < 3; ++c) {
          const std::uint64_t value = (pixel & masks_.at(c)) >> shift.at(c);
          *to++ = static_cast<std::uint8_t>(value * 255 / most.at(c));  // as Pillow, without rounding
        }
      }
    }
  }

  /// Pixels that are skipped have index 0; what lies outside the image is dropped.
  void run_lengths(std::span<std::uint8_t> indices) const {
    const bool is_narrow = compression_ == Compression::kRle4;
    std::int64_t x = 0;
    std::int64_t y = 0;
    std::size_t at = pixels_at_;
    const auto put = [&](unsigned index) {
      if (x < width_ && y < height_)
        indices[row_of(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)] =
            static_cast<std::uint8_t>(index);
      ++x;
    };
    const auto half = [](unsigned two, bool is_second) { return is_second ? two & 0xFU : two >> 4U; };
    // Some writers leave the mark at the end out.
    const auto is_full = [&] { return y >= height_ || (y == height_ - 1 && x >= width_); };
    while (at < bytes_.size() || !is_full()) {
      const unsigned count = byte(at);
      const unsigned value = byte(at + 1);
      at += 2;
      if (count > 0) {
        for (unsigned i = 0; i < count; ++i) put(is_narrow ? half(value, i % 2 == 1) : value);
      } else if (value == 0) {
        x = 0;
        ++y;
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += byte(at);
        y += byte(at + 1);
        at += 2;
      } else {
        for (unsigned i = 0; i < value; ++i)
          put(is_narrow ? half(byte(at + i / 2), i % 2 == 1) : byte(at + i));
        const unsigned used = is_narrow ? (value + 1) / 2 : value;
        at += used + used % 2;
      }
    }
  }

  const std::string& name_;
  std::span<const std::uint8_t> bytes_;
  std::size_t pixels_at_ = 0;
  std::uint32_t header_bytes_ = 0;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  bool is_from_above_ = false;
  std::uint32_t bits_ = 0;
  Compression compression_ = Compression::kNone;
  std::uint32_t colours_ = 0;
  std::array<std::uint32_t, 3> masks_{};
  Palette palette_;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_bmp(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<BmpDecoder>(bytes, name);
}

}  // namespace convoy::images
