#include "convoy/core/team.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace convoy {
namespace {

TEST(Split, CoversEverythingInOrderWithSizesThatDifferByAtMostOne) {
  for (std::int64_t count : {0, 1, 5, 16, 17}) {
    for (std::int64_t parts : {1, 2, 3, 5, 8}) {
      std::int64_t next = 0;
      for (std::int64_t i = 0; i < parts; ++i) {
        const Range range = split(count, parts, i);
        EXPECT_EQ(range.begin, next);
        EXPECT_GE(range.size(), count / parts);
        EXPECT_LE(range.size(), count / parts + 1);
        next = range.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

TEST(Team, SharesEveryPairOfTwoCountsOnce) {
  for (const int size : {1, 2, 3, 7, 12}) {
    for (std::int64_t first = 1; first <= 5; ++first) {
      constexpr std::int64_t kSecond = 4;
      std::vector<int> seen(static_cast<std::size_t>(first * kSecond), 0);
      const std::int64_t parts = size < first ? size : first;
      for (int t = 0; t < size; ++t) {
        const Team::TwoShares shares = Team(t, size, nullptr).share_two_ways(first, parts, kSecond);
        for (std::int64_t i = shares.first.begin; i < shares.first.end; ++i)
          for (std::int64_t j = shares.second.begin; j < shares.second.end; ++j)
            ++seen[static_cast<std::size_t>(i * kSecond + j)];
      }
      EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << first << " on " << size;
    }
  }
}

TEST(Barrier, LetsNoThreadThroughBeforeAllHaveArrived) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  Barrier barrier(kThreads);
  std::vector<int> counts(kThreads, 0);
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const Team team(t, kThreads, &barrier);
      for (int round = 1; round <= kRounds; ++round) {
        counts[static_cast<std::size_t>(t)] = round;
        team.barrier();
        for (const int count : counts) failures += count != round;
        team.barrier();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace convoy
