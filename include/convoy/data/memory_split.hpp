#pragma once
// A split of images that the caller has in memory, without labels: to predict.

#include <cstdint>
#include <span>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// Copies `images`, [n][C][H][W] of `shape`, n ≥ 1, for this process alone. Precondition: whole images.
[[nodiscard]] Split split_of(const Shape& shape, std::span<const std::uint8_t> images);
[[nodiscard]] Split split_of(const Shape& shape, std::span<const float> images);

}  // namespace convoy::data
