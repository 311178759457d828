#pragma once
// Image files: PNG (libpng), JPEG (libjpeg), PGM and PPM, plain and binary. The first bytes determine the
// format, not the name. Thread-safe; no state between calls. Called by the folder importer and to predict
// single images.
//
// Conversions: palettes and fewer than 8 bits are expanded; 16 bits (and any PGM/PPM maximum) are scaled to 8
// and rounded; alpha is dropped; CMYK becomes RGB; interlaced and progressive files are supported. Gamma,
// colour profiles and EXIF orientation are ignored (as in Pillow and torchvision).
//
// Errors: DataError "bad image <name> (<cause>)" if the file is empty, truncated, damaged, of another format
// or too large (over 65,535 pixels per side, 100 million pixels, or 1 GiB of file); no more memory than for
// these limits is allocated because of a header. IoError if the system cannot read.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "convoy/importers/image.hpp"

namespace convoy::importers {

/// Limits on an image.
inline constexpr std::int64_t kMostImageSide = 65535;
inline constexpr std::int64_t kMostImagePixels = 100'000'000;
inline constexpr std::int64_t kMostImageFileBytes = std::int64_t{1} << 30;

/// True if `name` ends in .png, .jpg, .jpeg, .pgm, .ppm or .pnm, in upper or lower case.
[[nodiscard]] bool is_image_name(std::string_view name);

/// The shape in the header; decodes no pixels.
[[nodiscard]] Shape read_image_shape(const std::string& path);

/// Reads the whole image. A file that ends early or fails a checksum is an error, even if a part could be
/// decoded.
[[nodiscard]] Image read_image(const std::string& path);

/// As read_image, from memory; `name` is for messages.
[[nodiscard]] Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace convoy::importers
