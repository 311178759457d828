#pragma once
// Images of random bytes with random labels, in memory alone: for measuring speed (`convoy bench`), never
// for learning. What `convoy synth` draws is in synth.hpp.

#include <cstdint>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// `samples` images of `shape`, uint8, with labels below `classes`: a pure function of its arguments.
[[nodiscard]] Split make_noise(const Shape& shape, std::int64_t samples, std::int64_t classes);

/// Brings such images to mean 0 and standard deviation 1.
[[nodiscard]] InputTransform noise_transform(const Shape& shape);

}  // namespace convoy::data
