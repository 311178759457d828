// Collectives built from point-to-point messages, so that a missing rank can be identified. MPI's own
// collectives cannot report a missing rank; they are called only after all ranks have arrived.

#include <algorithm>
#include <atomic>
#include <optional>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/backoff.hpp"
#include "messages.hpp"

namespace convoy::comm {

struct Communicator::Gatherer {
  std::atomic<int> waits_for{-1};
  std::optional<Exchange> exchange;  // created on first use
  std::vector<std::byte> blocks;

  Exchange& exchange_of(const Communicator& ranks) {
    if (!exchange) exchange.emplace(ranks);
    return *exchange;
  }
  void wait(const std::function<void()>& meanwhile) {
    for (Backoff backoff; !exchange->is_complete(); backoff.wait()) {
      waits_for.store(exchange->pending_peer(), std::memory_order_relaxed);
      if (meanwhile) meanwhile();
    }
    waits_for.store(-1, std::memory_order_relaxed);
  }
};

namespace {

constexpr int kMeetTag = 1010;
constexpr int kGatherTag = 1011;
constexpr int kTurnTag = 1012;

}  // namespace

std::shared_ptr<Communicator::Gatherer> Communicator::make_gatherer() {
  return std::make_shared<Gatherer>();
}

int Communicator::waits_for() const {
  return gatherer_->waits_for.load(std::memory_order_relaxed);
}

// Dissemination barrier (Hensgen, Finkel & Manber 1988): ⌈log₂ P⌉ rounds.
void Communicator::meet() const {
  const std::byte sent{};
  std::byte received{};
  for (int distance = 1; distance < size(); distance *= 2) {
    Exchange& exchange = gatherer_->exchange_of(*this);
    exchange.receive({&received, 1}, (rank() + size() - distance) % size(), kMeetTag);
    exchange.send({&sent, 1}, (rank() + distance) % size(), kMeetTag);
    gatherer_->wait({});
  }
}

void Communicator::barrier() const {
  meet();
}

// Bruck et al. 1997: the number of blocks doubles every round; until the final rotation, block i belongs to
// rank (this rank + i) mod P.
void Communicator::all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all,
                                          const std::function<void()>& meanwhile) const {
  const std::size_t block = mine.size();
  std::vector<std::byte>& blocks = gatherer_->blocks;
  blocks.resize(std::max(blocks.size(), all.size()));
  const std::span<std::byte> mine_on = std::span(blocks).first(all.size());
  std::copy(mine.begin(), mine.end(), mine_on.begin());
  for (int distance = 1; distance < size(); distance *= 2) {
    const std::size_t bytes = block * static_cast<std::size_t>(std::min(distance, size() - distance));
    Exchange& exchange = gatherer_->exchange_of(*this);
    exchange.receive(mine_on.subspan(block * static_cast<std::size_t>(distance), bytes),
                     (rank() + distance) % size(), kGatherTag);
    exchange.send(mine_on.first(bytes), (rank() + size() - distance) % size(), kGatherTag);
    gatherer_->wait(meanwhile);
  }
  const std::size_t own = block * static_cast<std::size_t>(rank());
  std::rotate_copy(mine_on.begin(), mine_on.end() - static_cast<std::ptrdiff_t>(own), mine_on.end(),
                   all.begin());
}

void Communicator::gather_in_turn(
    std::span<const std::byte> mine,
    const std::function<void(int rank, std::span<const std::byte> bytes)>& use) const {
  if (!is_root()) {
    const std::uint64_t length = mine.size();
    Exchange& exchange = gatherer_->exchange_of(*this);
    exchange.send(std::as_bytes(std::span(&length, 1)), 0, kTurnTag);
    exchange.send(mine, 0, kTurnTag);
    gatherer_->wait({});
    return;
  }
  use(0, mine);
  std::vector<std::byte> theirs;
  for (int rank = 1; rank < size(); ++rank) {
    Exchange& exchange = gatherer_->exchange_of(*this);
    std::uint64_t length = 0;
    exchange.receive(std::as_writable_bytes(std::span(&length, 1)), rank, kTurnTag);
    gatherer_->wait({});
    theirs.resize(length);
    exchange.receive(theirs, rank, kTurnTag);
    gatherer_->wait({});
    use(rank, theirs);
  }
}

}  // namespace convoy::comm
