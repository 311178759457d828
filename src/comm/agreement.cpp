#include "convoy/comm/agreement.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"

namespace convoy::comm {

void require_agreement(const Communicator& world, std::string_view what, const Digest& mine,
                       std::string_view advice) {
  const std::vector<Digest> all = world.all_gather_values(std::vector{mine});
  const auto other = std::ranges::find_if(all, [&](const Digest& each) { return each != all.front(); });
  if (other == all.end()) return;  // all ranks return here or none
  const std::vector<std::string> hosts = world.all_gather_text(host_name());
  const auto rank = static_cast<int>(other - all.begin());
  throw DisagreementError(fmt::format("ranks disagree on the {} ({} has {}, {} has {}); {}", what,
                                      rank_on_host(0, hosts), to_hex(all.front()), rank_on_host(rank, hosts),
                                      to_hex(*other), advice));
}

}  // namespace convoy::comm
