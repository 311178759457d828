#pragma once
// Random images with random labels, in memory: to measure speed (`convoy bench`), not to learn. For `convoy
// synth`, see synth.hpp.

#include <cstdint>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// `samples` uint8 images of `shape` with labels in [0, classes): a pure function of its arguments.
[[nodiscard]] Split make_noise(const Shape& shape, std::int64_t samples, std::int64_t classes);

/// Normalises such images to mean 0 and standard deviation 1.
[[nodiscard]] InputTransform noise_transform(const Shape& shape);

}  // namespace convoy::data
