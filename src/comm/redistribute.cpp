#include "convoy/comm/redistribute.hpp"

#include <algorithm>
#include <cassert>

#include "convoy/core/backoff.hpp"
#include "messages.hpp"

namespace convoy::comm {
namespace {

using Ranges = std::span<const Range>;

/// Calls visit(elements, offset) for each range contained in both, in order. `offset` is its position among
/// all elements of `inner`.
template <class Visit>
void for_common(Ranges inner, Ranges other, const Visit& visit) {
  std::int64_t offset = 0;
  std::size_t k = 0;
  for (const Range& range : inner) {
    while (k < other.size() && other[k].end <= range.begin) ++k;
    for (std::size_t i = k; i < other.size() && other[i].begin < range.end; ++i) {
      const Range common{std::max(range.begin, other[i].begin), std::min(range.end, other[i].end)};
      if (common.size() > 0) visit(common, offset + common.begin - range.begin);
    }
    offset += range.size();
  }
}

/// Every rank's ranges, and the index of each rank's first range.
class AllRanges {
 public:
  AllRanges(const Communicator& world, const std::vector<Range>& mine) : all_(world.all_gather_values(mine)) {
    begins_.push_back(0);
    for (const std::int64_t count :
         world.all_gather_values(std::vector{static_cast<std::int64_t>(mine.size())}))
      begins_.push_back(begins_.back() + static_cast<std::size_t>(count));
  }
  [[nodiscard]] Ranges of(int rank) const {
    const auto i = static_cast<std::size_t>(rank);
    return Ranges(all_).subspan(begins_[i], begins_[i + 1] - begins_[i]);
  }

 private:
  std::vector<Range> all_;
  std::vector<std::size_t> begins_;
};

}  // namespace

Redistribution::Redistribution(const Communicator& world, const std::vector<Range>& held,
                               const std::vector<Range>& wanted)
    : world_(world) {
  assert(std::ranges::is_sorted(held, {}, &Range::begin) &&
         std::ranges::is_sorted(wanted, {}, &Range::begin));
  const AllRanges all_held(world, held);
  const AllRanges all_wanted(world, wanted);
  for (int rank = 0; rank < world.size(); ++rank) {
    for_common(held, all_wanted.of(rank), [&](const Range& common, std::int64_t offset) {
      sent_.push_back({.peer = rank, .offset = offset, .size = common.size()});
    });
    for_common(wanted, all_held.of(rank), [&](const Range& common, std::int64_t offset) {
      received_.push_back({.peer = rank, .offset = offset, .size = common.size()});
    });
  }
  for (const Range& range : wanted) wanted_size_ += range.size();
}

std::vector<float> Redistribution::move(std::span<const float> values) const {
  constexpr int kTag = 2;
  constexpr std::int64_t kMostElements = std::int64_t{1} << 26;  // per message
  std::vector<float> result(static_cast<std::size_t>(wanted_size_));
  Exchange exchange(world_);
  // Sender and receiver visit the shared ranges in the same (ascending) order, so their messages match.
  const auto for_pieces = [&](const std::vector<Stretch>& stretches, auto span, const auto& post) {
    for (const Stretch& stretch : stretches) {
      if (stretch.peer == world_.rank()) continue;
      for (std::int64_t begin = 0; begin < stretch.size; begin += kMostElements)
        post(span.subspan(static_cast<std::size_t>(stretch.offset + begin),
                          static_cast<std::size_t>(std::min(kMostElements, stretch.size - begin))),
             stretch.peer);
    }
  };
  for_pieces(received_, std::span(result), [&](std::span<float> piece, int from) {
    exchange.receive(std::as_writable_bytes(piece), from, kTag);
  });
  for_pieces(sent_, values,
             [&](std::span<const float> piece, int to) { exchange.send(std::as_bytes(piece), to, kTag); });
  auto kept = received_.begin();
  for (const Stretch& stretch : sent_) {
    if (stretch.peer != world_.rank()) continue;
    kept =
        std::find_if(kept, received_.end(), [&](const Stretch& each) { return each.peer == world_.rank(); });
    std::copy_n(values.begin() + stretch.offset, stretch.size, result.begin() + kept->offset);
    ++kept;
  }
  for (Backoff backoff; !exchange.is_complete(); backoff.wait()) {
  }
  return result;
}

}  // namespace convoy::comm
