#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011).
//
// A number is a pure function of its key and its position. A key names the purpose of the number (seed,
// purpose, epoch, sample, layer), never the rank or thread that draws it, so the results do not depend on the
// machine.

#include <array>
#include <cstdint>
#include <vector>

namespace convoy {

/// Purpose of random numbers: a part of the key, so that purposes get different numbers.
enum class RandomPurpose : std::uint64_t {
  kInitialWeights = 1,
  kSampleOrder = 2,
  kDropout = 3,
  kAugment = 4,
  kSynthetic = 5,
  kHeldOut = 6,
  kTest = 99,
};

/// Philox4x32-10: four 32-bit words from a 64-bit key and a 128-bit counter.
[[nodiscard]] std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low,
                                                  std::uint64_t counter_high);

/// A 64-bit key from a seed, a purpose and up to three indices (SplitMix64 finaliser, chained).
[[nodiscard]] std::uint64_t random_key(std::uint64_t seed, RandomPurpose purpose, std::uint64_t a = 0,
                                       std::uint64_t b = 0, std::uint64_t c = 0);

/// The sequence of random numbers of one key.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t key) : key_(key) {}

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, bound), without bias; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box & Muller).
  double normal();

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int left_ = 0;
};

/// The order of samples in `epoch`: a permutation of [0, count) that is a pure function of (seed, epoch,
/// part).
[[nodiscard]] std::vector<std::int64_t> shuffled_order(std::int64_t count, std::uint64_t seed,
                                                       std::int64_t epoch, std::int64_t part = 0);

}  // namespace convoy
