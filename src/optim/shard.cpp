#include "convoy/optim/shard.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace convoy::optim {

Shard::Shard(std::vector<Range> ranges) : ranges_(std::move(ranges)) {
  std::int64_t size = 0;
  for (const Range& range : ranges_) {
    offsets_.push_back(size);
    size += range.size();
  }
  values_ = AlignedBuffer<float>(size);
}

std::int64_t Shard::offset_of(std::int64_t element) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), element,
                                      [](std::int64_t e, const Range& range) { return e < range.begin; });
  assert(after != ranges_.begin() && element < std::prev(after)->end);
  const auto i = static_cast<std::size_t>(after - ranges_.begin()) - 1;
  return offsets_[i] + (element - ranges_[i].begin);
}

float* Shard::at(std::int64_t element) {
  return ranges_.empty() ? nullptr : values_.data() + offset_of(element);
}

const float* Shard::at(std::int64_t element) const {
  return ranges_.empty() ? nullptr : values_.data() + offset_of(element);
}

}  // namespace convoy::optim
