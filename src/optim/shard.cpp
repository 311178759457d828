#include "convoy/optim/shard.hpp"

#include <algorithm>
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

float* Shard::at(std::int64_t element) {
  if (ranges_.empty()) return nullptr;
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), element,
                                      [](std::int64_t e, const Range& range) { return e < range.begin; });
  const auto i = static_cast<std::size_t>(after - ranges_.begin()) - 1;
  return values_.data() + offsets_[i] + (element - ranges_[i].begin);
}

}  // namespace convoy::optim
