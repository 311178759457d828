#pragma once
// An 8-bit image and its preparation for the network: channels, crop, size. Pure functions in integer
// arithmetic: the same bytes on every machine. Called by the folder importer and to predict single images.

#include <cstdint>
#include <vector>

#include "convoy/core/shape.hpp"

namespace convoy::images {

struct Image {
  Shape shape;                       ///< c is 1 (grey) or 3 (red, green, blue)
  std::vector<std::uint8_t> pixels;  ///< [C][H][W]
};

/// `channels` is 1 or 3. Grey to colour: three equal channels. Colour to grey: ITU-R BT.601, Y = 0.299 R +
/// 0.587 G + 0.114 B, rounded to nearest (as Pillow's "L").
[[nodiscard]] Image with_channels(Image image, std::int64_t channels);

/// Crops the centre to the largest part with the ratio height:width, to the nearest pixel.
[[nodiscard]] Image cut_to_ratio(Image image, std::int64_t height, std::int64_t width);

/// Bilinear with antialiasing, bit for bit as Pillow's (torchvision's) BILINEAR: an output pixel is the
/// weighted mean of source pixels; the weight is a triangle whose half width is the pixel distance of the
/// coarser grid. Rows first, then columns; weights in units of 2⁻²²; each pass is rounded to bytes.
[[nodiscard]] Image resized(Image image, std::int64_t height, std::int64_t width);

/// How an image is resized.
enum class Fit {
  kStretch,  ///< scale both sides independently
  kCrop,     ///< cut_to_ratio first: preserves the aspect ratio
};

/// `image` with the channels of `shape` (1 or 3) and its size.
[[nodiscard]] Image fitted(Image image, const Shape& shape, Fit fit);

}  // namespace convoy::images
