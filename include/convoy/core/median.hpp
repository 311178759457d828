#pragma once
// The median of measurements.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace convoy {

/// The middle one of `values`, of which there is one at least; the upper of two.
[[nodiscard]] inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace convoy
