#pragma once
// Images into lane blocks: transformed, and changed where augmentation says so. Pure functions on memory;
// Split::load finds the images. Private to the data room.

#include <array>
#include <cstdint>
#include <span>

#include "convoy/core/layout.hpp"
#include "convoy/data/augment.hpp"
#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// dst ([C][H][W][16]) = the images ([C][H][W] each, one a lane), transformed. Pixel is std::uint8_t or
/// float.
template <class Pixel>
void fill_block(const std::array<const Pixel*, kLanes>& images, const InputTransform& transform, float* dst);

/// One lane of dst likewise, its image changed first. Brightness and contrast keep bytes between 0 and 255.
template <class Pixel>
void fill_lane(const Pixel* image, const InputTransform& transform, const ImageChange& change,
               std::int64_t lane, float* dst);

}  // namespace convoy::data
