#include "convoy/comm/redistribute.hpp"

#include <gtest/gtest.h>

#include "world.hpp"

namespace convoy::comm {
namespace {

using test::world;

constexpr std::int64_t kSize = 200;

/// Ranges of 7 elements, assigned to ranks in turn; no rank holds the last elements.
std::vector<Range> held_by(int rank) {
  std::vector<Range> ranges;
  for (std::int64_t i = 0; 7 * i + 7 <= kSize - 10; ++i)
    if (i % world().size() == rank) ranges.push_back({7 * i, 7 * i + 7});
  return ranges;
}

std::vector<float> numbers_of(const std::vector<Range>& ranges, std::int64_t nobodys) {
  std::vector<float> values;
  for (const Range& range : ranges)
    for (std::int64_t i = range.begin; i < range.end; ++i)
      values.push_back(i < nobodys ? static_cast<float>(i + 1) : 0);
  return values;
}

TEST(Redistribute, GivesEveryRankWhatItWants) {
  const std::vector<Range> held = held_by(world().rank());
  // Overlapping ranges, an empty range, and elements that no rank holds.
  const std::int64_t first = std::int64_t{3} * world().rank();
  const std::vector<Range> wanted{{first, first + 20}, {50, 50}, {60, 61}, {kSize - 25, kSize}};
  const auto got = Redistribution(world(), held, wanted).move(numbers_of(held, kSize));
  EXPECT_EQ(got, numbers_of(wanted, (kSize - 10) / 7 * 7));
}

TEST(Redistribute, ARankMayHoldOrWantNothing) {
  const bool is_first = world().rank() == 0;
  const std::vector<Range> held = is_first ? std::vector<Range>{{0, 30}} : std::vector<Range>();
  const std::vector<Range> wanted = is_first ? std::vector<Range>() : std::vector<Range>{{10, 20}};
  const Redistribution plan(world(), held, wanted);
  for (int again = 0; again < 2; ++again) EXPECT_EQ(plan.move(numbers_of(held, 30)), numbers_of(wanted, 30));
}

}  // namespace
}  // namespace convoy::comm
