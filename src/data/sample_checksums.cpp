#include "sample_checksums.hpp"

#include "convoy/core/hash.hpp"
#include "convoy/core/parallel.hpp"

namespace convoy::data {

std::uint32_t sample_checksum(std::span<const std::byte> sample) {
  return static_cast<std::uint32_t>(hash(sample).low);
}

SampleChecksums::SampleChecksums(const comm::Communicator& sharers, std::int64_t samples)
    : memory_(sharers, samples * static_cast<std::int64_t>(sizeof(std::uint32_t))) {}

void SampleChecksums::assign(const Range& samples, std::span<const std::byte> bytes, int threads) {
  if (samples.size() == 0) return;
  auto* const sums = reinterpret_cast<std::uint32_t*>(memory_.bytes().data());
  const std::size_t size = bytes.size() / static_cast<std::size_t>(samples.size());
  parallel_for(threads, samples.size(), Shares::kEqual, [&](std::int64_t i) {
    sums[samples.begin + i] = sample_checksum(bytes.subspan(static_cast<std::size_t>(i) * size, size));
  });
}

}  // namespace convoy::data
