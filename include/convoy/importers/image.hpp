#pragma once
// An image of bytes, and what is done to one before a network sees it: its channels, its cut, its size. Pure
// functions in integer arithmetic, the same bytes on every machine. Called by the folder importer and by
// whoever shows a network a single image.

#include <cstdint>
#include <vector>

#include "convoy/core/shape.hpp"

namespace convoy::importers {

struct Image {
  Shape shape;                       ///< c is 1 (grey) or 3 (red, green, blue)
  std::vector<std::uint8_t> pixels;  ///< [C][H][W]
};

/// `channels` is 1 or 3. Grey becomes colour by three equal channels; colour becomes grey as ITU-R BT.601 has
/// it, Y = 0.299 R + 0.587 G + 0.114 B, rounded to nearest (Pillow's "L").
[[nodiscard]] Image with_channels(Image image, std::int64_t channels);

/// From the middle, the largest part whose height and width are in the ratio of height:width, to the nearest
/// pixel.
[[nodiscard]] Image cut_to_ratio(Image image, std::int64_t height, std::int64_t width);

/// Bilinear with antialiasing, bit for bit Pillow's (torchvision's) BILINEAR: a pixel is the mean of the
/// source's, weighted by a triangle as wide as the step between two pixels of the coarser grid on either
/// side, along rows first, then along columns; weights in units of 2⁻²², each pass rounded to bytes.
[[nodiscard]] Image resized(Image image, std::int64_t height, std::int64_t width);

}  // namespace convoy::importers
