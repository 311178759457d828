#pragma once
// A checksum for each sample that is kept in memory, so that a bit that changes there is noticed before the
// sample is used. Private to the data room.

#include <cstddef>
#include <cstdint>
#include <span>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/team.hpp"

namespace convoy::data {

/// The low 32 bits of XXH3-128: misses one of 4·10⁹ changes.
[[nodiscard]] std::uint32_t sample_checksum(std::span<const std::byte> sample);

class SampleChecksums {
 public:
  /// Collective over `sharers`, the ranks that share the memory of `samples` samples.
  SampleChecksums(const comm::Communicator& sharers, std::int64_t samples);

  /// Assigns the checksums of `samples`, whose bytes are `bytes`, one after another. Uses `threads` threads.
  /// Other ranks see them after fence().
  void assign(const Range& samples, std::span<const std::byte> bytes, int threads);
  /// Collective over the sharers.
  void fence() { memory_.fence(); }

  [[nodiscard]] std::uint32_t of(std::int64_t sample) const {
    return reinterpret_cast<const std::uint32_t*>(memory_.bytes().data())[sample];
  }

 private:
  comm::NodeSharedMemory memory_;  // uint32 [samples]
};

}  // namespace convoy::data
