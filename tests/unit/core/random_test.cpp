#include "convoy/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace convoy {
namespace {

// Test vectors of Philox4x32-10 from Random123's kat_vectors.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox(0, 0, 0), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ULL, ~0ULL, ~0ULL),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomKey, DiffersInEveryPart) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t seed : {0, 1})
    for (auto purpose : {RandomPurpose::kDropout, RandomPurpose::kSampleOrder})
      for (std::uint64_t a : {0, 1})
        for (std::uint64_t b : {0, 1}) keys.insert(random_key(seed, purpose, a, b));
  EXPECT_EQ(keys.size(), 16U);
}

TEST(RandomStream, UniformFillsTheUnitIntervalEvenly) {
  RandomStream stream(7);
  std::array<int, 10> bins{};
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    ++bins[static_cast<std::size_t>(u * 10)];
  }
  const double sigma = std::sqrt(kDraws * 0.1 * 0.9);
  for (const int bin : bins) EXPECT_NEAR(bin, kDraws / 10, 5 * sigma);
}

TEST(RandomStream, NormalHasMeanZeroAndVarianceOne) {
  RandomStream stream(11);
  constexpr int kDraws = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
}

TEST(ShuffledOrder, IsAPermutationThatDependsOnSeedAndEpochAlone) {
  const auto order = shuffled_order(1000, 3, 4);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(order, shuffled_order(1000, 3, 4));
  EXPECT_NE(order, shuffled_order(1000, 3, 5));
  EXPECT_NE(order, shuffled_order(1000, 4, 4));
}

}  // namespace
}  // namespace convoy
