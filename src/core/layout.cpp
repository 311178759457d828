#include "convoy/core/layout.hpp"

namespace convoy {

void copy_from_lanes(const float* blocks, std::int64_t size, std::int64_t samples, float* to) {
  for (std::int64_t n = 0; n < samples; ++n) {
    const float* lane = blocks + n / kLanes * size * kLanes + n % kLanes;
    for (std::int64_t k = 0; k < size; ++k) to[n * size + k] = lane[k * kLanes];
  }
}

}  // namespace convoy
