#include "shares.hpp"

#include <array>
#include <cstdio>

#include "convoy/core/text.hpp"

namespace convoy::apps {

std::string describe_shares(const std::vector<step::StepTimes>& ranks) {
  const step::RankShares shares = step::shares_of_ranks(ranks);
  std::string text;
  for (std::size_t i = 0; i < step::kShareNames.size(); ++i) {
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "  %-10s %5.1f %%", step::kShareNames.at(i).data(),
                  100 * shares.mean.at(i));
    text += line.data();
    if (ranks.size() > 1) {
      std::snprintf(line.data(), line.size(), "   at most %5.1f %% (rank %d)", 100 * shares.worst.at(i),
                    shares.worst_rank.at(i));
      text += line.data();
    }
    text += '\n';
  }
  return text;
}

std::string describe(const comm::PartialSums& sums, bool is_of_hosts) {
  std::string text = format("%.2f", sums.mean) + " partial sums a " + (is_of_hosts ? "host" : "rank");
  if (static_cast<double>(sums.most) > sums.mean) text += " (at most " + std::to_string(sums.most) + ")";
  return text;
}

}  // namespace convoy::apps
