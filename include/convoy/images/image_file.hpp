#pragma once
// Image files: PNG (libpng), JPEG (libjpeg), BMP, PGM and PPM, and, if the build has their libraries, WebP
// (libwebp), TIFF (libtiff) and GIF (giflib). The first bytes determine the format, not the name.
// Thread-safe; no state between calls. Called by the folder importer and to predict single images.
//
// Conversions: palettes and fewer than 8 bits are expanded; 16 bits (and any PGM/PPM maximum) are scaled to 8
// and rounded; alpha is dropped; CMYK becomes RGB; interlaced, progressive and tiled files are supported.
// Palettes of BMP and GIF with greys alone make grey images, since these formats have no others. JPEG, PNG,
// WebP and TIFF images are turned upright by their EXIF orientation. Of several images the first is read: of
// an animation the first frame, of a TIFF file the first page. Gamma and colour profiles are ignored. The
// pixels are those of Pillow (and torchvision), but 16 bits, which Pillow cuts off.
//
// Errors: DataError "bad image <name> (<cause>)" if the file is empty, truncated, damaged, of another format,
// of one that the build lacks, or too large (over 65,535 pixels per side, 100 million pixels, or 1 GiB of
// file); no more memory than for these limits is allocated because of a header. IoError if the system cannot
// read.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "convoy/images/image.hpp"

namespace convoy::images {

/// Limits on an image.
inline constexpr std::int64_t kMostImageSide = 65535;
inline constexpr std::int64_t kMostImagePixels = 100'000'000;
inline constexpr std::int64_t kMostImageFileBytes = std::int64_t{1} << 30;

/// What becomes of EXIF's orientation.
enum class Exif {
  kApply,   ///< images are turned upright
  kIgnore,  ///< pixels as stored
};

struct ImageHeader {
  Shape shape;             ///< of the image as read
  bool is_turned = false;  ///< EXIF's orientation is applied and other than upright
};

/// Endings of the names of image files.
inline constexpr std::array<std::string_view, 12> kImageEndings{
    ".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".pnm"};
/// ".png, .jpg, ...", for messages.
[[nodiscard]] std::string image_endings();

/// True if `name` has one of these endings, in upper or lower case.
[[nodiscard]] bool is_image_name(std::string_view name);

/// The header; decodes no pixels.
[[nodiscard]] ImageHeader read_image_header(const std::string& path, Exif exif = Exif::kApply);

/// Reads the whole image. A file that ends early or fails a checksum is an error, even if a part could be
/// decoded.
[[nodiscard]] Image read_image(const std::string& path, Exif exif = Exif::kApply);

/// As read_image, from memory; `name` is for messages.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name,
                                 Exif exif = Exif::kApply);

}  // namespace convoy::images
