#pragma once
// Measures the duration of a step that all ranks execute together.

#include <functional>

#include "convoy/comm/communicator.hpp"

namespace convoy::measure {

/// Collective. Median seconds of a step(), the same on all ranks. Calls it for about `seconds`, at least five
/// times.
[[nodiscard]] double median_step(const comm::Communicator& world, double seconds,
                                 const std::function<void()>& step);

}  // namespace convoy::measure
