#pragma once
// How a camera was held: EXIF's orientation, and images turned upright. Private to the images room.

#include <cstdint>
#include <span>

#include "convoy/images/image.hpp"

namespace convoy::images {

/// EXIF's orientation, 1 (upright) to 8, of an EXIF block: an APP1 segment of JPEG after its length ("Exif"
/// and two zeros, then a TIFF structure); 1 if it tells none, or if it is another block.
[[nodiscard]] int orientation_of(std::span<const std::uint8_t> app1);
/// The same of a TIFF structure alone, as WebP stores it.
[[nodiscard]] int orientation_of_tiff(std::span<const std::uint8_t> bytes);

/// True if upright images have height and width exchanged.
[[nodiscard]] inline bool exchanges_sides(int orientation) {
  return orientation >= 5;
}

/// The image turned and mirrored so that it is upright.
[[nodiscard]] Image upright(Image image, int orientation);

}  // namespace convoy::images
