#include "convoy/data/keeping.hpp"

#include <gtest/gtest.h>

namespace convoy::data {
namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
constexpr NodeMemory kNode{.available = 1000 * kMebibyte, .shared = 64 * kMebibyte};

TEST(Keeping, IsOncePerNodeWhereImagesFitInSharedMemoryAndHalfOfAll) {
  EXPECT_EQ(choose_keeping(Cache::kAuto, 40 * kMebibyte, 2, kNode), Keeping::kOncePerNode);
  EXPECT_EQ(choose_keeping(Cache::kAuto, 400 * kMebibyte, 1, kNode), Keeping::kOncePerNode);  // not shared
  EXPECT_EQ(choose_keeping(Cache::kAuto, 600 * kMebibyte, 1, kNode), Keeping::kInFiles);
}

TEST(Keeping, IsACopyOfEachRankWhereSharedMemoryIsSmall) {
  EXPECT_EQ(choose_keeping(Cache::kAuto, 100 * kMebibyte, 4, kNode), Keeping::kOncePerRank);
  EXPECT_EQ(choose_keeping(Cache::kAuto, 100 * kMebibyte, 8, kNode), Keeping::kInFiles);
}

TEST(Keeping, IsWhatTheUserSays) {
  EXPECT_EQ(choose_keeping(Cache::kMemory, 600 * kMebibyte, 8, kNode), Keeping::kOncePerNode);
  EXPECT_EQ(choose_keeping(Cache::kNone, 1, 1, kNode), Keeping::kInFiles);
}

TEST(Footprint, IsSharedPerRankOrTwoBuffers) {
  Options options;
  options.window_bytes = 8 * kMebibyte;
  EXPECT_EQ(footprint(options, 40 * kMebibyte, 2, kNode).shared, 40 * kMebibyte);
  const Footprint copies = footprint(options, 100 * kMebibyte, 4, kNode);
  EXPECT_EQ(copies.shared, 0);
  EXPECT_EQ(copies.per_rank, 100 * kMebibyte);
  options.cache = Cache::kNone;
  EXPECT_EQ(footprint(options, 100 * kMebibyte, 4, kNode).shared, 16 * kMebibyte);
  EXPECT_EQ(footprint(options, kMebibyte, 4, kNode).shared, 2 * kMebibyte);
}

}  // namespace
}  // namespace convoy::data
