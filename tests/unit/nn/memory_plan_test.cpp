#include "convoy/nn/memory_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace convoy::nn {
namespace {

bool live_together(const Tenant& a, const Tenant& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Most bytes that are needed at one time: no plan can do with less.
std::int64_t least_bytes(const std::vector<Tenant>& tenants, int calls) {
  std::int64_t most = 0;
  for (int time = 0; time < calls; ++time) {
    std::int64_t now = 0;
    for (const Tenant& tenant : tenants)
      if (tenant.first <= time && time <= tenant.last) now += tenant.bytes;
    most = std::max(most, now);
  }
  return most;
}

TEST(MemoryPlan, KeepsTenantsOfOneTimeApartAndOnCacheLines) {
  std::mt19937 generator(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<Tenant> tenants;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(generator() % 40);
      tenants.push_back({.bytes = static_cast<std::int64_t>(generator() % 2000),
                         .first = first,
                         .last = first + static_cast<int>(generator() % 12)});
    }
    const MemoryPlan plan = plan_memory(tenants);
    EXPECT_GE(plan.bytes, least_bytes(tenants, 60));
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      EXPECT_LE(plan.offsets[i] + tenants[i].bytes, plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        if (!live_together(tenants[i], tenants[j])) continue;
        EXPECT_TRUE(plan.offsets[i] + tenants[i].bytes <= plan.offsets[j] ||
                    plan.offsets[j] + tenants[j].bytes <= plan.offsets[i])
            << "round " << round << ", tenants " << j << " and " << i;
      }
    }
  }
}

TEST(MemoryPlan, GivesTheSamePlaceToThoseThatFollowEachOther) {
  const std::vector<Tenant> chain{{.bytes = 640, .first = 0, .last = 1},
                                  {.bytes = 320, .first = 1, .last = 2},
                                  {.bytes = 640, .first = 2, .last = 3},
                                  {.bytes = 320, .first = 3, .last = 4}};
  EXPECT_EQ(plan_memory(chain).bytes, 640 + 320);
}

TEST(MemoryPlan, OfNothingIsEmpty) {
  EXPECT_EQ(plan_memory({}).bytes, 0);
}

}  // namespace
}  // namespace convoy::nn
