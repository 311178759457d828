#include "convoy/step/cross_check.hpp"

#include <fmt/core.h>

#include <string>
#include <utility>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"

namespace convoy::step {

CrossCheck::CrossCheck(comm::Communicator world, int operations)
    : world_(std::move(world)),
      mine_(static_cast<std::size_t>(operations)),
      again_(static_cast<std::size_t>(operations)) {}

void CrossCheck::begin(std::int64_t leaves, std::int64_t step) {
  leaves_ = leaves;
  step_ = step;
}

std::int64_t leaf_to_check(std::int64_t leaves, std::int64_t step, int ranks, int rank) {
  // A rank without a micro-batch has no workspace in which to recompute one.
  const auto block_of = [&](int r) { return comm::leaf_block(leaves, ranks, r); };
  const Range block = block_of(rank);
  if (block.size() == 0 || block_of((rank + ranks - 1) % ranks).size() == 0) return -1;
  return block.begin + step % block.size();
}

void CrossCheck::see(std::int64_t leaf, int operation, std::span<const float> parameters,
                     std::span<const float> statistics, bool is_again) {
  if (leaf != (is_again ? again() : chosen_of(world_.rank()))) return;
  Hasher hasher;
  hasher.update(parameters.data(), parameters.size_bytes());
  hasher.update(statistics.data(), statistics.size_bytes());
  (is_again ? again_ : mine_)[static_cast<std::size_t>(operation)] = hasher.digest();
}

void CrossCheck::verify() const {
  const auto joined = [](const std::vector<Digest>& digests) {
    return hash(std::as_bytes(std::span(digests)));
  };
  const std::vector<Digest> all = world_.all_gather_values(std::vector{joined(mine_), joined(again_)});
  for (int rank = 0; rank < world_.size(); ++rank) {
    const int before = (rank + world_.size() - 1) % world_.size();
    const Digest& first = all[2 * static_cast<std::size_t>(rank)];
    const Digest& second = all[2 * static_cast<std::size_t>(before) + 1];
    if (chosen_of(rank) < 0 || first == second) continue;
    const std::vector<std::string> hosts = world_.all_gather_text(comm::host_name());
    throw DisagreementError(
        fmt::format("ranks disagree on the gradient of micro-batch {} of the batch ({} computed {}, {} "
                    "computed it again, {}); memory or processor of one of the two is at fault; resume from "
                    "the last checkpoint on other nodes",
                    chosen_of(rank), comm::rank_on_host(rank, hosts), to_hex(first),
                    comm::rank_on_host(before, hosts), to_hex(second)));
  }
}

}  // namespace convoy::step
