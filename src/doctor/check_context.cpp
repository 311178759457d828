#include "check_context.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::doctor {
double CheckContext::number(int rank, const std::string& fact) const {
  return parse_number(text(rank, fact)).value_or(0);
}

std::string CheckContext::text(int rank, const std::string& fact) const {
  const Facts& known = facts[static_cast<std::size_t>(rank)];
  const auto found = known.find(fact);
  return found == known.end() ? std::string() : found->second;
}

std::string CheckContext::named(const std::vector<int>& ranks) const {
  constexpr std::size_t kMostHosts = 4;
  if (ranks.size() > 1 && ranks.size() == placements.size() && hosts() == 1) return "all ranks on " + host(0);
  if (ranks.size() > 1 && ranks.size() == placements.size()) return "all ranks";
  std::vector<std::string> names;
  for (const int rank : ranks)
    if (std::ranges::find(names, host(rank)) == names.end()) names.push_back(host(rank));
  const std::size_t all = names.size();
  if (all > kMostHosts) names.resize(kMostHosts);
  return fmt::format("{}{} on {}{}", ranks.size() > 1 ? "ranks " : "rank ", in_ranges(ranks),
                     join(names, ", "),
                     all > kMostHosts ? fmt::format(" and {} more nodes", all - kMostHosts) : "");
}

Finding ok(std::string text) {
  return {{}, Verdict::kOk, std::move(text), {}};
}
Finding warning(std::string text, std::string remedy) {
  return {{}, Verdict::kWarning, std::move(text), std::move(remedy)};
}
Finding wrong(std::string text, std::string remedy) {
  return {{}, Verdict::kWrong, std::move(text), std::move(remedy)};
}

std::map<std::string, std::vector<int>> ranks_by(const std::vector<std::string>& texts) {
  std::map<std::string, std::vector<int>> ranks;
  for (std::size_t rank = 0; rank < texts.size(); ++rank)
    if (!texts[rank].empty()) ranks[texts[rank]].push_back(static_cast<int>(rank));
  return ranks;
}

std::vector<std::string> try_on_all(const comm::Communicator& world, const std::function<void()>& action) {
  std::string message;
  try {
    action();
  } catch (const std::exception& error) {
    message = error.what();
    if (message.empty()) message = "failed without a message";
  }
  return world.all_gather_text(message);
}

}  // namespace convoy::doctor
