#pragma once
// Shapes of images and tensors. 64-bit extents; they are narrowed, with a check, only in calls of other
// libraries.

#include <cstdint>
#include <string>
#include <vector>

namespace convoy {

/// Shape of one sample's image: channels, height, width. A vector of K features is [K][1][1].
struct Shape {
  std::int64_t c = 0;
  std::int64_t h = 1;
  std::int64_t w = 1;

  /// Elements of one sample.
  [[nodiscard]] std::int64_t size() const { return c * h * w; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// "32x28x28", or "10" for a plain vector.
[[nodiscard]] std::string to_string(const Shape& shape);

/// Extents of a logical tensor, slowest first, e.g. [OC][IC][KH][KW].
using Dims = std::vector<std::int64_t>;

/// Product of the extents; 1 for a scalar.
[[nodiscard]] std::int64_t count(const Dims& dims);

/// "20x1x5x5".
[[nodiscard]] std::string to_string(const Dims& dims);

}  // namespace convoy
