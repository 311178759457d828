#pragma once
// Packs images into lane blocks: transformed, and augmented if requested. Pure functions on memory;
// Split::load finds the images. Private to the data room.

#include <array>
#include <cstdint>
#include <span>

#include "convoy/core/layout.hpp"
#include "convoy/data/augment.hpp"
#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// Assigns dst ([C][H][W][16]) = the transformed images ([C][H][W] each, one per lane). Pixel is std::uint8_t
/// or float.
template <class Pixel>
void fill_block(const std::array<const Pixel*, kLanes>& images, const InputTransform& transform, float* dst);

/// Assigns one lane of dst, with the image changed first. Brightness and contrast clamp bytes to 0 … 255.
template <class Pixel>
void fill_lane(const Pixel* image, const InputTransform& transform, const ImageChange& change,
               std::int64_t lane, float* dst);

}  // namespace convoy::data
