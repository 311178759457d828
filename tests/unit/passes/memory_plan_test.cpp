#include "convoy/passes/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace convoy::passes {
namespace {

bool live_together(const BufferLifetime& a, const BufferLifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Maximum bytes in use at one time: a lower bound for every plan.
std::int64_t least_bytes(const std::vector<BufferLifetime>& lifetimes, int calls) {
  std::int64_t most = 0;
  for (int time = 0; time < calls; ++time) {
    std::int64_t now = 0;
    for (const BufferLifetime& lifetime : lifetimes)
      if (lifetime.first <= time && time <= lifetime.last) now += lifetime.bytes;
    most = std::max(most, now);
  }
  return most;
}

TEST(MemoryPlan, KeepsTenantsOfOneTimeApartAndOnCacheLines) {
  std::mt19937 generator(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<BufferLifetime> lifetimes;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(generator() % 40);
      lifetimes.push_back({.bytes = static_cast<std::int64_t>(generator() % 2000),
                           .first = first,
                           .last = first + static_cast<int>(generator() % 12)});
    }
    const MemoryPlan plan = plan_memory(lifetimes);
    EXPECT_GE(plan.bytes, least_bytes(lifetimes, 60));
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      EXPECT_LE(plan.offsets[i] + lifetimes[i].bytes, plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        if (!live_together(lifetimes[i], lifetimes[j])) continue;
        EXPECT_TRUE(plan.offsets[i] + lifetimes[i].bytes <= plan.offsets[j] ||
                    plan.offsets[j] + lifetimes[j].bytes <= plan.offsets[i])
            << "round " << round << ", lifetimes " << j << " and " << i;
      }
    }
  }
}

TEST(MemoryPlan, GivesTheSamePlaceToThoseThatFollowEachOther) {
  const std::vector<BufferLifetime> chain{{.bytes = 640, .first = 0, .last = 1},
                                          {.bytes = 320, .first = 1, .last = 2},
                                          {.bytes = 640, .first = 2, .last = 3},
                                          {.bytes = 320, .first = 3, .last = 4}};
  EXPECT_EQ(plan_memory(chain).bytes, 640 + 320);
}

TEST(MemoryPlan, OfNothingIsEmpty) {
  EXPECT_EQ(plan_memory({}).bytes, 0);
}

}  // namespace
}  // namespace convoy::passes
