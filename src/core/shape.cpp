#include "convoy/core/shape.hpp"

namespace convoy {

std::string to_string(const Shape& shape) {
  if (shape.h == 1 && shape.w == 1) return std::to_string(shape.c);
  return to_string(Dims{shape.c, shape.h, shape.w});
}

std::int64_t count(const Dims& dims) {
  std::int64_t product = 1;
  for (const std::int64_t extent : dims) product *= extent;
  return product;
}

std::string to_string(const Dims& dims) {
  std::string text;
  for (const std::int64_t extent : dims) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text;
}

}  // namespace convoy
