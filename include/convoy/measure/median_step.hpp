#pragma once
// How long a step takes that all ranks make together.

#include <functional>

#include "convoy/comm/communicator.hpp"

namespace convoy::measure {

/// Collective. Median seconds of a step(), the same on all ranks: it is called for about `seconds`, five
/// times at least.
[[nodiscard]] double median_step(const comm::Communicator& world, double seconds,
                                 const std::function<void()>& step);

}  // namespace convoy::measure
