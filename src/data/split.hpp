#pragma once
// Where a split's pictures and labels lie. Private to the data room: Dataset fills it, Split reads it.

#include <cstdint>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"

namespace convoy::data {

enum class PixelType { kUint8, kFloat32 };

struct Split::Impl {
  Shape shape;
  PixelType type = PixelType::kUint8;
  std::int64_t samples = 0;
  std::vector<std::int64_t> labels;  ///< [samples], or
  comm::NodeSharedMemory pictures;   ///< [samples][C][H][W]
  std::vector<float> targets{};      ///< [samples][target_size]
  std::int64_t target_size = 0;

  /// Pixels of one channel of one sample, [H][W].
  template <class Pixel>
  [[nodiscard]] const Pixel* plane(std::int64_t sample, std::int64_t c) const {
    return reinterpret_cast<const Pixel*>(pictures.bytes().data()) +
           (sample * shape.c + c) * shape.h * shape.w;
  }
};

}  // namespace convoy::data
