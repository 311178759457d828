#pragma once
// The median of measurements.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace convoy {

/// The median of `values` (not empty); the upper of the two middle values if their number is even.
[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace convoy
