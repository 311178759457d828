#include "convoy/data/order.hpp"

#include <algorithm>
#include <numeric>

#include "convoy/core/random.hpp"

namespace convoy::data {

SampleOrder::SampleOrder(const Split& split, const Options& options, std::uint64_t seed, std::int64_t batch)
    : units_(split.unit_ends()),
      samples_(split.samples()),
      window_(std::max<std::int64_t>(options.window_bytes / split.image_bytes(), 1)),
      order_(options.order),
      shuffle_(options.shuffle),
      seed_(seed),
      batch_(batch) {}

std::int64_t SampleOrder::most_in_portion() const {
  return std::min(std::max(window_, batch_), samples_);
}

std::vector<std::int64_t> SampleOrder::by_chunks(std::int64_t epoch) const {
  std::vector<std::int64_t> samples;
  samples.reserve(static_cast<std::size_t>(samples_));
  for (const std::int64_t unit : shuffled_order(static_cast<std::int64_t>(units_.size()), seed_, epoch)) {
    const auto u = static_cast<std::size_t>(unit);
    for (std::int64_t sample = u == 0 ? 0 : units_[u - 1]; sample < units_[u]; ++sample)
      samples.push_back(sample);
  }
  std::vector<std::int64_t> window;
  for (std::int64_t begin = 0, part = 1; begin < samples_; begin += window_, ++part) {
    const auto first = samples.begin() + begin;
    window.assign(first, first + std::min(window_, samples_ - begin));
    std::ranges::transform(shuffled_order(static_cast<std::int64_t>(window.size()), seed_, epoch, part),
                           first, [&](std::int64_t i) { return window[static_cast<std::size_t>(i)]; });
  }
  return samples;
}

PassOrder SampleOrder::of(std::int64_t epoch) const {
  PassOrder pass;
  if (!shuffle_) {
    pass.samples.resize(static_cast<std::size_t>(samples_));
    std::iota(pass.samples.begin(), pass.samples.end(), std::int64_t{0});
  } else if (order_ == Order::kFull) {
    pass.samples = shuffled_order(samples_, seed_, epoch);
  } else {
    pass.samples = by_chunks(epoch);
  }
  const std::int64_t portion = most_in_portion();
  for (std::int64_t end = portion; end < samples_; end += portion) pass.portion_ends.push_back(end);
  pass.portion_ends.push_back(samples_);
  return pass;
}

}  // namespace convoy::data
