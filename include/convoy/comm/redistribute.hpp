#pragma once
// Moving the pieces of a flat vector from the ranks that hold them to those that want them.

#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/team.hpp"

namespace convoy::comm {

/// Collective over `world`. This rank holds `values`, the elements of `held` one range after the other; what
/// the ranks hold is disjoint. Returns the elements of `wanted` likewise; 0 where no rank holds one. Ranges
/// rise.
[[nodiscard]] std::vector<float> redistribute(const Communicator& world, const std::vector<Range>& held,
                                              std::span<const float> values,
                                              const std::vector<Range>& wanted);

}  // namespace convoy::comm
