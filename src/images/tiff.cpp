// TIFF with libtiff: the first page, in strips or tiles, of 1, 2, 4, 8 or 16 bits a sample, grey, of a
// palette, red-green-blue, CMYK or YCbCr. Rows and tiles are read one by one, so that little memory beside
// the image is needed.

#include <fmt/core.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>

#include "decoder.hpp"
#include "orientation.hpp"

namespace convoy::images {
namespace {

constexpr std::int64_t kMostTileBytes = std::int64_t{1} << 28;

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

/// The file in memory, and libtiff's first error.
struct TiffInput {
  std::span<const std::uint8_t> bytes;
  std::uint64_t at = 0;
  std::string error{};
};

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t count) {
  auto& input = *static_cast<TiffInput*>(handle);
  const std::size_t begin = std::min<std::uint64_t>(input.at, input.bytes.size());
  const std::size_t got = std::min(static_cast<std::size_t>(count), input.bytes.size() - begin);
  std::memcpy(to, input.bytes.data() + begin, got);
  input.at = begin + got;
  return static_cast<tmsize_t>(got);
}
tmsize_t write_bytes(thandle_t /*handle*/, void* /*from*/, tmsize_t /*count*/) {
  return -1;
}
toff_t seek(thandle_t handle, toff_t offset, int from) {
  auto& input = *static_cast<TiffInput*>(handle);
  const std::uint64_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? input.at : input.bytes.size();
  input.at = base + offset;
  return input.at;
}
int close(thandle_t /*handle*/) {
  return 0;
}
toff_t size_of(thandle_t handle) {
  return static_cast<TiffInput*>(handle)->bytes.size();
}

__attribute__((format(printf, 4, 0))) int on_error(TIFF* /*tiff*/, void* user, const char* /*module*/,
                                                   const char* format, std::va_list values) {
  auto& input = *static_cast<TiffInput*>(user);
  std::array<char, 200> text{};
  std::vsnprintf(text.data(), text.size(), format, values);
  if (input.error.empty()) input.error = text.data();
  return 1;  // not said a second time, to standard error
}
int on_warning(TIFF* /*tiff*/, void* /*user*/, const char* /*module*/, const char* /*format*/,
               std::va_list /*values*/) {
  return 1;
}

std::unique_ptr<TIFF, CloseTiff> open(const std::string& name, TiffInput& input) {
  const std::unique_ptr<TIFFOpenOptions, CloseTiff> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &input);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &input);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostTileBytes);
  // m: the file is not mapped to memory, which it is in already.
  return std::unique_ptr<TIFF, CloseTiff>(TIFFClientOpenExt(name.c_str(), "rm", &input, read_bytes,
                                                            write_bytes, seek, close, size_of, nullptr,
                                                            nullptr, options.get()));
}

/// Codecs whose damage libtiff notices. OJPEG, the superseded JPEG, and codecs of single vendors are not
/// read.
bool is_known(unsigned compression) {
  constexpr std::array<unsigned, 12> kKnown{
      COMPRESSION_NONE,     COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3,     COMPRESSION_CCITTFAX4,
      COMPRESSION_LZW,      COMPRESSION_JPEG,     COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
      COMPRESSION_PACKBITS, COMPRESSION_LZMA,     COMPRESSION_ZSTD,          COMPRESSION_WEBP};
  return std::ranges::find(kKnown, compression) != kKnown.end();
}

class TiffDecoder final : public ImageDecoder {
 public:
  TiffDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name), input_{bytes} {
    tiff_ = open(name, input_);
    if (tiff_ == nullptr) fail();
    std::uint32_t extent = 0;
    if (TIFFGetField(tiff_.get(), TIFFTAG_IMAGEWIDTH, &extent) == 0) fail();
    width_ = extent;
    if (TIFFGetField(tiff_.get(), TIFFTAG_IMAGELENGTH, &extent) == 0) fail();
    height_ = extent;
    bits_ = fact(TIFFTAG_BITSPERSAMPLE);
    samples_ = fact(TIFFTAG_SAMPLESPERPIXEL);
    is_planar_ = fact(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && samples_ > 1;
    std::uint16_t value = 0;
    if (TIFFGetField(tiff_.get(), TIFFTAG_PHOTOMETRIC, &value) == 0)
      throw_bad_image(name_, "it does not say what its samples mean");
    photometric_ = value;
    require_known();
    if (photometric_ == PHOTOMETRIC_PALETTE) read_palette();
  }

  [[nodiscard]] Shape shape() const override {
    const bool is_grey = photometric_ == PHOTOMETRIC_MINISBLACK || photometric_ == PHOTOMETRIC_MINISWHITE;
    return {is_grey ? 1 : 3, height_, width_};
  }

  [[nodiscard]] int orientation() const override {
    const unsigned found = fact(TIFFTAG_ORIENTATION);
    return found >= 1 && found <= 8 ? static_cast<int>(found) : 1;
  }

  void decode(std::span<std::uint8_t> pixels) override {
    pixels_ = pixels;
    if (photometric_ == PHOTOMETRIC_YCBCR) {
      read_by_libtiff();
    } else if (TIFFIsTiled(tiff_.get()) != 0) {
      read_tiles();
    } else {
      read_strips();
    }
    if (!input_.error.empty()) fail();  // damage that libtiff went over
  }

 private:
  [[noreturn]] void fail() const {
    throw_bad_image(name_, input_.error.empty() ? "it is damaged" : input_.error);
  }
  void check(bool is_good) const {
    if (!is_good) fail();
  }

  [[nodiscard]] unsigned fact(std::uint32_t tag) const {
    std::uint16_t value = 0;
    check(TIFFGetFieldDefaulted(tiff_.get(), tag, &value) != 0);
    return value;
  }

  void require_known() {
    const unsigned compression = fact(TIFFTAG_COMPRESSION);
    if (!is_known(compression) || TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression)) == 0)
      throw_bad_image(
          name_,
          fmt::format("its compression, number {}, is not read; save it with another (LZW)", compression));
    const unsigned kind = fact(TIFFTAG_SAMPLEFORMAT);
    const bool is_whole = kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID;
    if (!is_whole || (bits_ != 1 && bits_ != 2 && bits_ != 4 && bits_ != 8 && bits_ != 16))
      throw_bad_image(
          name_, fmt::format("its samples are {} of {} bits; 1, 2, 4, 8 and 16 bits without sign are read",
                             is_whole ? "numbers" : "signed or floating-point numbers", bits_));
    if (photometric_ == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG) {
      check(TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) != 0);
      photometric_ = PHOTOMETRIC_RGB;
    }
    const unsigned needed = samples_needed();
    if (needed == 0 || (photometric_ == PHOTOMETRIC_SEPARATED && fact(TIFFTAG_INKSET) != INKSET_CMYK) ||
        (photometric_ == PHOTOMETRIC_PALETTE && bits_ > 8) ||
        (photometric_ == PHOTOMETRIC_YCBCR && bits_ != 8))
      throw_bad_image(name_, fmt::format("its kind of colours, number {} of {} bits, is not read; save it as "
                                         "RGB or grey",
                                         photometric_, bits_));
    if (samples_ < needed)
      throw_bad_image(name_, fmt::format("its pixels have {} samples; they need {}", samples_, needed));
  }

  /// 0: a kind of colours that is not read.
  [[nodiscard]] unsigned samples_needed() const {
    switch (photometric_) {
      case PHOTOMETRIC_MINISBLACK:
      case PHOTOMETRIC_MINISWHITE:
      case PHOTOMETRIC_PALETTE:
        return 1;
      case PHOTOMETRIC_RGB:
      case PHOTOMETRIC_YCBCR:
        return 3;
      case PHOTOMETRIC_SEPARATED:
        return 4;
      default:
        return 0;
    }
  }

  void read_palette() {
    std::array<std::uint16_t*, 3> columns{};
    check(TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &columns[0], &columns[1], &columns[2]) != 0);
    for (std::size_t i = 0; i < std::size_t{1} << bits_; ++i)
      for (const std::uint16_t* column : columns)
        palette_.push_back(static_cast<std::uint8_t>(column[i] >> 8U));  // as Pillow, without rounding
  }

  /// Sample `i` of a row, 0 to 255; an index of the palette is as it is.
  [[nodiscard]] std::uint8_t sample(const std::uint8_t* row, std::size_t i) const {
    if (bits_ == 8) return row[i];
    if (bits_ == 16) {
      std::uint16_t value = 0;
      std::memcpy(&value, row + 2 * i, sizeof value);
      constexpr unsigned kMost = 65535;
      return static_cast<std::uint8_t>((value * 255U + kMost / 2) / kMost);
    }
    const std::size_t bit = i * bits_;
    const unsigned most = (1U << bits_) - 1;
    const unsigned value = row[bit / 8] >> (8 - bits_ - bit % 8) & most;
    return static_cast<std::uint8_t>(photometric_ == PHOTOMETRIC_PALETTE ? value : value * 255 / most);
  }

  /// Assigns pixels (y, x) and the following ones, whose samples stand at `row`, those of a pixel together.
  void put_pixels(const std::uint8_t* row, std::int64_t y, std::int64_t x, std::int64_t count) {
    const auto channels = static_cast<std::size_t>(shape().c);
    std::uint8_t* to = pixels_.data() + static_cast<std::size_t>(y * width_ + x) * channels;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count) * samples_; i += samples_, to += channels) {
      switch (photometric_) {
        case PHOTOMETRIC_MINISWHITE:
          *to = static_cast<std::uint8_t>(255 - sample(row, i));
          break;
        case PHOTOMETRIC_MINISBLACK:
          *to = sample(row, i);
          break;
        case PHOTOMETRIC_PALETTE:
          std::copy_n(&palette_[3 * std::size_t{sample(row, i)}], 3, to);
          break;
        case PHOTOMETRIC_SEPARATED: {
          const unsigned left = 255U - sample(row, i + 3);
          for (std::size_t c = 0; c < 3; ++c)
            to[c] = static_cast<std::uint8_t>((left * (255U - sample(row, i + c)) + 127) / 255);
          break;
        }
        default:
          for (std::size_t c = 0; c < 3; ++c) to[c] = sample(row, i + c);
      }
    }
  }

  /// The same from `row`, which has one sample of every pixel: number `plane`. CMYK is mixed ink by ink, the
  /// black of plane 3 last.
  void put_plane(const std::uint8_t* row, std::size_t plane, std::int64_t y, std::int64_t x,
                 std::int64_t count) {
    const auto channels = static_cast<std::size_t>(shape().c);
    std::uint8_t* to = pixels_.data() + static_cast<std::size_t>(y * width_ + x) * channels;
    const bool is_inks = photometric_ == PHOTOMETRIC_SEPARATED;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i, to += channels) {
      const unsigned value = sample(row, i);
      if (is_inks && plane == 3) {
        for (std::size_t c = 0; c < 3; ++c)
          to[c] = static_cast<std::uint8_t>((to[c] * (255U - value) + 127) / 255);
      } else if (photometric_ == PHOTOMETRIC_PALETTE) {
        std::copy_n(&palette_[3 * std::size_t{value}], 3, to);
      } else {
        to[plane] = static_cast<std::uint8_t>(is_inks || photometric_ == PHOTOMETRIC_MINISWHITE ? 255U - value
                                                                                                : value);
      }
    }
  }

  void read_strips() {
    const std::int64_t bytes = TIFFScanlineSize(tiff_.get());
    const std::int64_t planes = is_planar_ ? samples_needed() : 1;
    const std::int64_t needed = (width_ * (is_planar_ ? 1 : samples_) * bits_ + 7) / 8;
    if (bytes < needed || bytes > kMostTileBytes) fail();
    std::vector<std::uint8_t> row(static_cast<std::size_t>(bytes));
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      for (std::int64_t y = 0; y < height_; ++y) {
        check(TIFFReadScanline(tiff_.get(), row.data(), static_cast<std::uint32_t>(y),
                               static_cast<std::uint16_t>(plane)) > 0);
        if (is_planar_)
          put_plane(row.data(), static_cast<std::size_t>(plane), y, 0, width_);
        else
          put_pixels(row.data(), y, 0, width_);
      }
    }
  }

  void read_tiles() {
    std::uint32_t tile_width = 0;
    std::uint32_t tile_height = 0;
    check(TIFFGetField(tiff_.get(), TIFFTAG_TILEWIDTH, &tile_width) != 0 &&
          TIFFGetField(tiff_.get(), TIFFTAG_TILELENGTH, &tile_height) != 0 && tile_width > 0 &&
          tile_height > 0);
    const std::int64_t bytes = TIFFTileSize(tiff_.get());
    const std::int64_t row_bytes = TIFFTileRowSize(tiff_.get());
    const std::int64_t needed = (std::int64_t{tile_width} * (is_planar_ ? 1 : samples_) * bits_ + 7) / 8;
    if (bytes < 1 || bytes > kMostTileBytes)
      throw_bad_image(name_, fmt::format("its tiles have {}x{} pixels; up to 256 MiB each are read",
                                         tile_height, tile_width));
    if (row_bytes < needed || row_bytes * tile_height > bytes) fail();
    std::vector<std::uint8_t> tile(static_cast<std::size_t>(bytes));
    const std::int64_t planes = is_planar_ ? samples_needed() : 1;
    for (std::int64_t plane = 0; plane < planes; ++plane) {
      for (std::int64_t top = 0; top < height_; top += tile_height) {
        for (std::int64_t left = 0; left < width_; left += tile_width) {
          check(TIFFReadTile(tiff_.get(), tile.data(), static_cast<std::uint32_t>(left),
                             static_cast<std::uint32_t>(top), 0, static_cast<std::uint16_t>(plane)) > 0);
          const std::int64_t end = std::min<std::int64_t>(top + tile_height, height_);
          const std::int64_t count = std::min<std::int64_t>(tile_width, width_ - left);
          for (std::int64_t y = top; y < end; ++y) {
            const std::uint8_t* row = tile.data() + (y - top) * row_bytes;
            if (is_planar_)
              put_plane(row, static_cast<std::size_t>(plane), y, left, count);
            else
              put_pixels(row, y, left, count);
          }
        }
      }
    }
  }

  /// YCbCr without JPEG, with colours of several pixels together: libtiff mixes them.
  void read_by_libtiff() {
    std::vector<std::uint32_t> raster(static_cast<std::size_t>(width_ * height_));
    check(TIFFReadRGBAImageOriented(tiff_.get(), static_cast<std::uint32_t>(width_),
                                    static_cast<std::uint32_t>(height_), raster.data(),
                                    static_cast<int>(fact(TIFFTAG_ORIENTATION)), 1) != 0);
    std::uint8_t* to = pixels_.data();
    for (const std::uint32_t pixel : raster)
      for (const unsigned shift : {0U, 8U, 16U}) *to++ = static_cast<std::uint8_t>(pixel >> shift & 0xFFU);
  }

  const std::string& name_;
  TiffInput input_;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  unsigned bits_ = 0;
  unsigned samples_ = 0;
  bool is_planar_ = false;
  unsigned photometric_ = 0;
  std::vector<std::uint8_t> palette_;  // [index][3]
  std::span<std::uint8_t> pixels_;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_tiff(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<TiffDecoder>(bytes, name);
}

}  // namespace convoy::images
