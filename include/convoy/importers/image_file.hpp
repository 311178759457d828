#pragma once
// Image files: PNG (libpng), JPEG (libjpeg), PGM and PPM, plain and binary. A file is what its first bytes
// say, whatever its name ends in. Thread-safe; nothing is kept between calls. Called by the folder importer
// and by whoever shows a network a single image.
//
// What becomes of a file: palettes and fewer than 8 bits are expanded, 16 bits (and any PGM/PPM maximum) are
// scaled to 8 and rounded, alpha is left out, CMYK becomes RGB, interlaced and progressive files are read as
// any other; gamma, colour profiles and EXIF's orientation are not applied (as Pillow and torchvision do).
//
// Errors: DataError "bad image <name> (<cause>)" for one that is empty, cut short, damaged, of another
// format or too large (over 65,535 pixels a side, 100 million in all, or 1 GiB of file); more memory than
// that is not taken on a header's word. IoError where the system cannot read.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "convoy/importers/image.hpp"

namespace convoy::importers {

/// The most that an image may have.
inline constexpr std::int64_t kMostImageSide = 65535;
inline constexpr std::int64_t kMostImagePixels = 100'000'000;
inline constexpr std::int64_t kMostImageFileBytes = std::int64_t{1} << 30;

/// True if `name` ends in .png, .jpg, .jpeg, .pgm, .ppm or .pnm, in any case.
[[nodiscard]] bool is_image_name(std::string_view name);

/// Shape as the header tells it; no pixel is decoded.
[[nodiscard]] Shape read_image_shape(const std::string& path);

/// The whole image. A file that ends early or fails a sum is an error, also where some of it could be
/// shown.
[[nodiscard]] Image read_image(const std::string& path);

/// The same from memory; `name` is for messages.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace convoy::importers
