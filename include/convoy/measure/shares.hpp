#pragma once
// Prints the time shares of steps as text lines: for `train` with run.profile, for `bench` and for tests.

#include <string>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/step/profile.hpp"

namespace convoy::measure {

/// One line for each of step::kShareNames: percent of the time, as mean over ranks, and with several ranks
/// also the largest value and its rank. Precondition: totals above 0.
[[nodiscard]] std::string describe_shares(const std::vector<step::StepTimes>& ranks);

/// `1.67 partial sums a node (at most 2)`.
[[nodiscard]] std::string describe(const comm::PartialSums& sums, bool is_of_hosts);

}  // namespace convoy::measure
