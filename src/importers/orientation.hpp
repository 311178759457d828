#pragma once
// How a camera was held: EXIF's orientation, and images turned upright. Private to the importers room.

#include <cstdint>
#include <span>

#include "convoy/importers/image.hpp"

namespace convoy::importers {

/// EXIF's orientation, 1 (upright) to 8, of an APP1 segment (JPEG, after its length); 1 if it tells none.
[[nodiscard]] int orientation_of(std::span<const std::uint8_t> app1);

/// True if upright images have height and width exchanged.
[[nodiscard]] inline bool exchanges_sides(int orientation) {
  return orientation >= 5;
}

/// The image turned and mirrored so that it is upright.
[[nodiscard]] Image upright(Image image, int orientation);

}  // namespace convoy::importers
