#include "convoy/data/noise.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "convoy/core/random.hpp"
#include "split.hpp"

namespace convoy::data {

Split make_noise(const Shape& shape, std::int64_t samples, std::int64_t classes) {
  const std::int64_t bytes = samples * shape.size();
  auto split = std::make_unique<Split::Impl>(
      Split::Impl{.shape = shape,
                  .type = PixelType::kUint8,
                  .samples = samples,
                  .labels_or_targets = std::make_shared<comm::NodeSharedMemory>(
                      comm::Communicator::self(), samples * static_cast<std::int64_t>(sizeof(std::int64_t))),
                  .images = std::make_shared<comm::NodeSharedMemory>(comm::Communicator::self(), bytes),
                  .unit_ends = {samples}});
  RandomStream stream(random_key(0, RandomPurpose::kSynthetic));
  std::byte* to = split->images->bytes().data();
  for (std::int64_t i = 0; i < bytes; i += static_cast<std::int64_t>(sizeof(std::uint32_t))) {
    const std::uint32_t word = stream.next_u32();
    std::memcpy(to + i, &word,
                static_cast<std::size_t>(std::min(bytes - i, static_cast<std::int64_t>(sizeof word))));
  }
  for (std::int64_t& label : split->labels_or_targets_as<std::int64_t>())
    label = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(classes)));
  return Split(std::move(split));
}

InputTransform noise_transform(const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape.c);
  return {.shape = shape,
          .scale = 1. / 255,
          .mean = std::vector<double>(channels, 0.5),
          // Standard deviation of uniform numbers in [0, 1].
          .std = std::vector<double>(channels, 1 / std::sqrt(12.))};
}

}  // namespace convoy::data
