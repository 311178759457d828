#include "convoy/comm/redistribute.hpp"

#include <algorithm>

namespace convoy::comm {
namespace {

using Ranges = std::span<const Range>;

/// visit(elements, offset) for every stretch that both have, in order; `offset` is where it begins among all
/// elements of `inner`.
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

/// Every rank's ranges, and where each rank's begin.
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

std::vector<float> redistribute(const Communicator& world, const std::vector<Range>& held,
                                std::span<const float> values, const std::vector<Range>& wanted) {
  const AllRanges all_held(world, held);
  const AllRanges all_wanted(world, wanted);
  std::vector<float> sent;
  std::vector<std::int64_t> to;
  std::vector<std::int64_t> from;
  std::int64_t received_size = 0;
  for (int rank = 0; rank < world.size(); ++rank) {
    const std::size_t before = sent.size();
    for_common(held, all_wanted.of(rank), [&](const Range& common, std::int64_t offset) {
      const auto first = values.begin() + offset;
      sent.insert(sent.end(), first, first + common.size());
    });
    to.push_back(static_cast<std::int64_t>(sent.size() - before));
    std::int64_t expected = 0;
    for_common(wanted, all_held.of(rank),
               [&](const Range& common, std::int64_t) { expected += common.size(); });
    from.push_back(expected);
    received_size += expected;
  }
  std::vector<float> received(static_cast<std::size_t>(received_size));
  world.exchange(sent, to, received, from);

  std::int64_t size = 0;
  for (const Range& range : wanted) size += range.size();
  std::vector<float> result(static_cast<std::size_t>(size));
  auto next = received.cbegin();
  for (int rank = 0; rank < world.size(); ++rank) {
    // The sender went through its own ranges in order, and so do we: both rise.
    for_common(wanted, all_held.of(rank), [&](const Range& common, std::int64_t offset) {
      std::copy(next, next + common.size(), result.begin() + offset);
      next += common.size();
    });
  }
  return result;
}

}  // namespace convoy::comm
