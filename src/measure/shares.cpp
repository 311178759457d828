#include "convoy/measure/shares.hpp"

#include <fmt/core.h>

#include "convoy/core/text.hpp"

namespace convoy::measure {

std::string describe_shares(const std::vector<step::StepTimes>& ranks) {
  const step::RankShares shares = step::shares_of_ranks(ranks);
  std::string text;
  for (std::size_t i = 0; i < step::kShareNames.size(); ++i) {
    text += fmt::format("  {:10} {:>5.1f} %", step::kShareNames.at(i), 100 * shares.mean.at(i));
    if (ranks.size() > 1)
      text +=
          fmt::format("   at most {:>5.1f} % (rank {})", 100 * shares.worst.at(i), shares.worst_rank.at(i));
    text += '\n';
  }
  return text;
}

std::string describe(const comm::PartialSums& sums, bool is_of_hosts) {
  std::string text = fmt::format("{:.2f} partial sums a {}", sums.mean, is_of_hosts ? "node" : "rank");
  if (static_cast<double>(sums.most) > sums.mean) text += fmt::format(" (at most {})", sums.most);
  return text;
}

}  // namespace convoy::measure
