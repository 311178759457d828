#include "convoy/comm/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <numeric>
#include <set>
#include <string>

namespace convoy::comm {
namespace {

constexpr std::int64_t kMostLeaves = 40;

/// Every node of the tree over [0, leaves), by the definition in src/CONTRACT.md: [a,b) splits at a + the
/// largest power of two below b − a.
std::vector<Range> all_nodes(std::int64_t leaves) {
  std::vector<Range> nodes;
  std::vector<Range> open{{0, leaves}};
  while (!open.empty()) {
    const Range node = open.back();
    open.pop_back();
    nodes.push_back(node);
    if (node.size() == 1) continue;
    std::int64_t half = 1;
    while (2 * half < node.size()) half *= 2;
    open.push_back({node.begin, node.begin + half});
    open.push_back({node.begin + half, node.end});
  }
  return nodes;
}

bool contains(const std::vector<Range>& nodes, const Range& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

template <class Use>
void for_every_block(const Use& use) {
  for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves)
    for (std::int64_t begin = 0; begin < leaves; ++begin)
      for (std::int64_t end = begin + 1; end <= leaves; ++end) use(leaves, Range{begin, end});
}

TEST(SplitPoint, IsTheLargestPowerOfTwoBelowTheSize) {
  EXPECT_EQ(split_point({0, 2}), 1);
  EXPECT_EQ(split_point({0, 3}), 2);
  EXPECT_EQ(split_point({0, 4}), 2);  // largest power of two below 4, not 4
  EXPECT_EQ(split_point({0, 5}), 4);
  EXPECT_EQ(split_point({4, 7}), 6);
  EXPECT_EQ(split_point({0, 1000}), 512);
}

TEST(Siblings, AreTheTwoHalvesOfANodeAndNothingElse) {
  // Over 5 leaves: ((0 1)(2 3)) 4.
  EXPECT_TRUE(are_siblings({0, 1}, {1, 2}, 5));
  EXPECT_TRUE(are_siblings({0, 2}, {2, 4}, 5));
  EXPECT_TRUE(are_siblings({0, 4}, {4, 5}, 5));
  EXPECT_FALSE(are_siblings({1, 2}, {2, 3}, 5));
  EXPECT_FALSE(are_siblings({2, 4}, {4, 5}, 5));
  EXPECT_FALSE(are_siblings({0, 1}, {2, 3}, 5));
  EXPECT_FALSE(are_siblings({1, 2}, {0, 1}, 5));
}

TEST(Siblings, AgreeWithTheTreeBuiltFromTheContractsSentence) {
  for (std::int64_t leaves = 2; leaves <= 20; ++leaves) {
    std::set<std::string> expected;
    const auto name = [](const Range& left, const Range& right) {
      return std::to_string(left.begin) + ' ' + std::to_string(left.end) + ' ' + std::to_string(right.begin) +
             ' ' + std::to_string(right.end);
    };
    for (const Range& node : all_nodes(leaves))
      if (node.size() > 1)
        expected.insert(name({node.begin, split_point(node)}, {split_point(node), node.end}));
    std::set<std::string> found;
    for (std::int64_t a = 0; a < leaves; ++a)
      for (std::int64_t b = a + 1; b < leaves; ++b)
        for (std::int64_t c = b + 1; c <= leaves; ++c)
          if (are_siblings({a, b}, {b, c}, leaves)) found.insert(name({a, b}, {b, c}));
    EXPECT_EQ(found, expected) << leaves << " leaves";
  }
}

TEST(MaximalNodes, AreWorkedOutByHandForSevenLeavesOnThreeRanks) {
  // Over 7 leaves: (((0 1)(2 3)) ((4 5) 6)); blocks of 3, 2 and 2.
  EXPECT_EQ(maximal_nodes({0, 3}, 7), (std::vector<Range>{{0, 2}, {2, 3}}));
  EXPECT_EQ(maximal_nodes({3, 5}, 7), (std::vector<Range>{{3, 4}, {4, 5}}));
  EXPECT_EQ(maximal_nodes({5, 7}, 7), (std::vector<Range>{{5, 6}, {6, 7}}));
  EXPECT_EQ(maximal_nodes({0, 7}, 7), (std::vector<Range>{{0, 7}}));
  EXPECT_TRUE(maximal_nodes({3, 3}, 7).empty());
  EXPECT_TRUE(maximal_nodes({0, 0}, 0).empty());
}

TEST(MaximalNodes, CoverTheBlockInOrderWithCompleteNodesOfTheTree) {
  for_every_block([](std::int64_t leaves, const Range& block) {
    const std::vector<Range> tree = all_nodes(leaves);
    std::int64_t next = block.begin;
    for (const Range& node : maximal_nodes(block, leaves)) {
      ASSERT_EQ(node.begin, next);
      ASSERT_TRUE(contains(tree, node));
      next = node.end;
    }
    ASSERT_EQ(next, block.end);
  });
}

TEST(MaximalNodes, AreTheFewestBecauseNoParentFitsTheBlock) {
  for_every_block([](std::int64_t leaves, const Range& block) {
    const std::vector<Range> nodes = maximal_nodes(block, leaves);
    for (const Range& parent : all_nodes(leaves)) {
      if (parent.begin < block.begin || parent.end > block.end || parent.size() == 1) continue;
      const Range left{parent.begin, split_point(parent)};
      const Range right{split_point(parent), parent.end};
      ASSERT_FALSE(contains(nodes, left) && contains(nodes, right))
          << leaves << " leaves, block " << block.begin << " to " << block.end;
    }
  });
}

TEST(TreeStack, LeavesTheMaximalNodesOfWhatWasPushed) {
  for_every_block([](std::int64_t leaves, const Range& block) {
    TreeStack stack(leaves);
    for (std::int64_t leaf = block.begin; leaf < block.end; ++leaf)
      stack.push(
          {leaf, leaf + 1}, leaf, [](std::int64_t, std::int64_t) {}, [](std::int64_t) {});
    std::vector<Range> left;
    for (const auto& entry : stack.entries()) left.push_back(entry.node);
    ASSERT_EQ(left, maximal_nodes(block, leaves));
  });
}

TEST(TreeStack, AddsTextInTheBracketsOfTheTree) {
  std::vector<std::string> slots{"0", "1", "2", "3", "4"};
  std::vector<std::int64_t> released;
  TreeStack stack(5);
  for (std::int64_t leaf = 0; leaf < 5; ++leaf) {
    stack.push(
        {leaf, leaf + 1}, leaf,
        [&](std::int64_t left, std::int64_t right) {
          auto& text = slots[static_cast<std::size_t>(left)];
          text = '(' + text + '+' + slots[static_cast<std::size_t>(right)] + ')';
        },
        [&](std::int64_t slot) { released.push_back(slot); });
  }
  ASSERT_EQ(stack.entries().size(), 1U);
  EXPECT_EQ(slots[static_cast<std::size_t>(stack.entries().front().slot)], "(((0+1)+(2+3))+4)");
  EXPECT_EQ(released, (std::vector<std::int64_t>{1, 3, 2, 4}));
}

TEST(StackDepth, IsTheMostSlotsInUseWhileLeavesArePushed) {
  EXPECT_EQ(stack_depth({0, 1}, 1), 1);
  EXPECT_EQ(stack_depth({0, 2}, 2), 2);
  EXPECT_EQ(stack_depth({0, 8}, 8), 4);  // nodes of 4, 2 and 1 leaves, plus the new leaf
  EXPECT_EQ(stack_depth({1, 4}, 4), 3);  // 1, 2 and 3, before 2 and 3 merge
  EXPECT_EQ(stack_depth({3, 3}, 4), 0);
}

TEST(TreeSum, RoundsAsTheTreeDoesAndNotFromLeftToRight) {
  // ulp(2^24) = 2 in float: adding 1 twice has no effect, adding 1 + 1 has.
  const std::vector<float> leaves{16777216.0F, 0.0F, 1.0F, 1.0F};
  EXPECT_EQ(tree_sum(leaves), 16777218.0F);
  EXPECT_EQ(std::accumulate(leaves.begin(), leaves.end(), 0.0F), 16777216.0F);
}

TEST(TreeSum, KeepsTheSignOfASingleNegativeZero) {
  EXPECT_TRUE(std::signbit(tree_sum(std::vector<double>{-0.0})));  // starting from +0 would lose the sign
  EXPECT_EQ(tree_sum(std::vector<double>{}), 0.0);
}

}  // namespace
}  // namespace convoy::comm
