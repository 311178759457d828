#pragma once
// Where the time of steps went, as lines for a person: for `train` with run.profile, for `bench`,
// and for tests.

#include <string>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/step/profile.hpp"

namespace convoy::apps {

/// A line for each of step::kShareNames: percent of the time, the mean of the ranks, and with several ranks
/// the largest and whose it is. Totals above 0.
[[nodiscard]] std::string describe_shares(const std::vector<step::StepTimes>& ranks);

/// `1.67 partial sums a host (at most 2)`.
[[nodiscard]] std::string describe(const comm::PartialSums& sums, bool is_of_hosts);

}  // namespace convoy::apps
