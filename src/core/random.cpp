#include "convoy/core/random.hpp"

#include <cmath>
#include <numeric>
#include <utility>

#include "convoy/core/math.hpp"

namespace convoy {
namespace {

std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low,
                                    std::uint64_t counter_high) {
  constexpr std::uint32_t kM0 = 0xD2511F53;
  constexpr std::uint32_t kM1 = 0xCD9E8D57;
  constexpr std::uint32_t kW0 = 0x9E3779B9;
  constexpr std::uint32_t kW1 = 0xBB67AE85;
  std::array<std::uint32_t, 4> x{
      static_cast<std::uint32_t>(counter_low), static_cast<std::uint32_t>(counter_low >> 32),
      static_cast<std::uint32_t>(counter_high), static_cast<std::uint32_t>(counter_high >> 32)};
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(kM0) * x[0];
    const std::uint64_t p1 = static_cast<std::uint64_t>(kM1) * x[2];
    x = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += kW0;
    k1 += kW1;
  }
  return x;
}

std::uint64_t random_key(std::uint64_t seed, RandomPurpose purpose, std::uint64_t a, std::uint64_t b,
                         std::uint64_t c) {
  std::uint64_t key = mix(seed);
  for (const std::uint64_t part : {static_cast<std::uint64_t>(purpose), a, b, c}) key = mix(key ^ part);
  return key;
}

std::uint32_t RandomStream::next_u32() {
  if (left_ == 0) {
    words_ = philox(key_, counter_++, 0);
    left_ = 4;
  }
  return words_[static_cast<std::size_t>(4 - left_--)];
}

std::uint64_t RandomStream::next_u64() {
  const std::uint64_t high = next_u32();
  return high << 32 | next_u32();
}

double RandomStream::uniform() {
  return static_cast<double>(next_u64() >> 11) * 0x1p-53;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  const std::uint64_t limit = bound * (UINT64_MAX / bound);  // largest multiple of bound that fits
  std::uint64_t value = next_u64();
  while (value >= limit) value = next_u64();
  return value % bound;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2 * math::log(1 - uniform()));
  return radius * math::cos(6.28318530717958647692 * uniform());
}

std::vector<std::int64_t> shuffled_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch,
                                         std::int64_t part) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  RandomStream stream(random_key(seed, RandomPurpose::kSampleOrder, static_cast<std::uint64_t>(epoch),
                                 static_cast<std::uint64_t>(part)));
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[stream.below(i)]);  // Fisher & Yates
  return order;
}

}  // namespace convoy
