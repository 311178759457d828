#include "convoy/step/step_plan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/step/schedule.hpp"

namespace convoy::step {
namespace {

/// The tree's sum over `node` as text, as src/CONTRACT.md defines it: "((0+1)+2)".
std::string brackets(const Range& node) {
  if (node.size() == 1) return std::to_string(node.begin);
  std::int64_t half = 1;
  while (2 * half < node.size()) half *= 2;
  const std::int64_t middle = node.begin + half;
  return '(' + brackets({node.begin, middle}) + '+' + brackets({middle, node.end}) + ')';
}

/// Executes a plan on text instead of gradients.
class Play {
 public:
  explicit Play(const StepPlan& plan) : plan_(plan) {}

  void group(std::size_t g) {
    for (const StepPlan::Leaf& leaf : plan_.groups[g]) {
      EXPECT_LT(leaf.slot, plan_.slots);
      slots_[leaf.slot] = std::to_string(leaf.leaf);  // assigned, not added
      ++computed_[leaf.leaf];
      for (const StepPlan::Merge& each : leaf.merges) merge(each);
    }
  }
  void finish() {
    for (const StepPlan::Merge& each : plan_.final_merges) merge(each);
  }
  [[nodiscard]] const std::string& at(std::int64_t slot) { return slots_[slot]; }
  [[nodiscard]] const std::map<std::int64_t, int>& computed() const { return computed_; }

 private:
  void merge(const StepPlan::Merge& each) {
    slots_[each.left] = '(' + slots_[each.left] + '+' + slots_[each.right] + ')';
    slots_[each.right] = "free";
  }

  const StepPlan& plan_;
  std::map<std::int64_t, std::string> slots_;
  std::map<std::int64_t, int> computed_;
};

/// Calls `use` with every plan of up to 17 micro-batches on up to 6 ranks (also more ranks than
/// micro-batches) of up to 5 threads.
template <class Use>
void for_every_plan(const Use& use) {
  for (std::int64_t leaves = 1; leaves <= 17; ++leaves)
    for (int ranks = 1; ranks <= 6; ++ranks)
      for (int rank = 0; rank < ranks; ++rank)
        for (std::int64_t threads = 1; threads <= 5; ++threads) {
          SCOPED_TRACE(testing::Message() << leaves << " leaves, rank " << rank << " of " << ranks << ", "
                                          << threads << " threads");
          const Range block = comm::leaf_block(leaves, ranks, rank);
          use(plan_step(leaves, block, threads), leaves, block, threads);
        }
}

TEST(StepPlan, ComputesEveryLeafOfTheBlockOnce) {
  for_every_plan([](const StepPlan& plan, std::int64_t, const Range& block, std::int64_t threads) {
    ASSERT_LE(static_cast<std::int64_t>(plan.groups.size()), threads);
    Play play(plan);
    for (std::size_t g = 0; g < plan.groups.size(); ++g) play.group(g);
    ASSERT_EQ(static_cast<std::int64_t>(play.computed().size()), block.size());
    for (const auto& [leaf, times] : play.computed()) {
      ASSERT_EQ(times, 1) << "leaf " << leaf;
      ASSERT_TRUE(leaf >= block.begin && leaf < block.end) << "leaf " << leaf;
    }
  });
}

TEST(StepPlan, EndsWithTheMaximalNodesEachSummedAlongTheTree) {
  for_every_plan([](const StepPlan& plan, std::int64_t leaves, const Range& block, std::int64_t) {
    Play play(plan);
    for (std::size_t g = 0; g < plan.groups.size(); ++g) play.group(g);
    play.finish();
    std::vector<Range> ranges;
    for (const StepPlan::Node& node : plan.nodes) {
      ranges.push_back(node.range);
      ASSERT_EQ(play.at(node.slot), brackets(node.range));
    }
    ASSERT_EQ(ranges, comm::maximal_nodes(block, leaves));
  });
}

TEST(StepPlan, GivesTheSameSumsWhateverOrderTheGroupsRunIn) {
  for_every_plan([](const StepPlan& plan, std::int64_t, const Range&, std::int64_t) {
    Play backwards(plan);
    for (std::size_t g = plan.groups.size(); g-- > 0;) backwards.group(g);
    backwards.finish();
    for (const StepPlan::Node& node : plan.nodes) ASSERT_EQ(backwards.at(node.slot), brackets(node.range));
  });
}

TEST(StepPlan, OneThreadNeedsNoMoreBuffersThanTheStackIsDeep) {
  for (std::int64_t leaves = 1; leaves <= 64; ++leaves)
    EXPECT_EQ(plan_step(leaves, {0, leaves}, 1).slots, comm::stack_depth({0, leaves}, leaves)) << leaves;
}

TEST(StepPlan, OfARankWithoutLeavesIsEmpty) {
  const StepPlan plan = plan_step(3, {3, 3}, 4);
  EXPECT_TRUE(plan.groups.empty());
  EXPECT_TRUE(plan.nodes.empty());
  EXPECT_EQ(plan.slots, 0);
}

/// The calls of traverse(), in order: kind, micro-batch, place, operation.
struct Call {
  char kind = 0;
  std::int64_t i = -1;
  std::int64_t place = -1;
  int operation = -1;
  bool operator==(const Call&) const = default;
};

std::vector<Call> calls(std::int64_t count, std::int64_t layerwise, int operations) {
  std::vector<Call> all;
  const auto keep = [&](char kind) {
    return [&all, kind](std::int64_t i, std::int64_t place, int operation) {
      all.push_back({kind, i, place, operation});
    };
  };
  traverse(count, layerwise, operations, keep('f'), keep('b'),
           [&](int operation) { all.push_back({.kind = 'c', .operation = operation}); });
  return all;
}

TEST(Traverse, OneByOneIsForwardAndBackward) {
  const std::vector<Call> expected{{'f', 0, 0, 0}, {'f', 0, 0, 1},  {'b', 0, 0, 1}, {'b', 0, 0, 0},
                                   {'f', 1, 0, 0}, {'f', 1, 0, 1},  {'b', 1, 0, 1}, {'c', -1, -1, 1},
                                   {'b', 1, 0, 0}, {'c', -1, -1, 0}};
  EXPECT_EQ(calls(2, 1, 2), expected);
}

TEST(Traverse, TogetherIsLayerByLayer) {
  const std::vector<Call> expected{{'f', 0, 0, 0}, {'f', 1, 1, 0},  {'f', 0, 0, 1},   {'f', 1, 1, 1},
                                   {'b', 0, 0, 1}, {'b', 1, 1, 1},  {'c', -1, -1, 1}, {'b', 0, 0, 0},
                                   {'b', 1, 1, 0}, {'c', -1, -1, 0}};
  EXPECT_EQ(calls(2, 4, 2), expected);
}

TEST(Traverse, KeepsEachMicroBatchInItsPlaceUntilItHasGoneBack) {
  constexpr int kOperations = 3;
  for (std::int64_t count = 0; count <= 9; ++count) {
    for (std::int64_t layerwise = 1; layerwise <= 4; ++layerwise) {
      std::map<std::int64_t, std::int64_t> in_place;  // micro-batch at each place
      std::map<std::int64_t, int> passed;             // number of forward and backward calls, by micro-batch
      int completed = 0;
      for (const Call& call : calls(count, layerwise, kOperations)) {
        if (call.kind == 'c') {
          EXPECT_EQ(call.operation, kOperations - 1 - completed++);
          for (std::int64_t i = 0; i < count; ++i)
            EXPECT_GE(passed[i], 2 * kOperations - call.operation) << "micro-batch " << i << " of " << count;
          continue;
        }
        ASSERT_LT(call.place, layerwise);
        if (call.kind == 'f' && call.operation == 0) {
          EXPECT_FALSE(in_place.contains(call.place)) << "still in use";
          in_place[call.place] = call.i;
        }
        EXPECT_EQ(in_place.at(call.place), call.i);
        const int expected = call.kind == 'f' ? call.operation : 2 * kOperations - 1 - call.operation;
        EXPECT_EQ(passed[call.i]++, expected);
        if (passed[call.i] == 2 * kOperations) in_place.erase(call.place);
      }
      EXPECT_EQ(completed, kOperations);
      for (std::int64_t i = 0; i < count; ++i) EXPECT_EQ(passed[i], 2 * kOperations);
    }
  }
}

TEST(IdleShare, IsWhatTheBusiestThreadWorksLongerThanTheOthers) {
  EXPECT_EQ(idle_share(8, 1, 1), 0);
  EXPECT_EQ(idle_share(8, 4, 2), 0);
  EXPECT_DOUBLE_EQ(idle_share(8, 3, 1),
                   1 - 8.0 / 9);                        // the rank with 2 waits a third
  EXPECT_DOUBLE_EQ(idle_share(8, 1, 3), 1 - 8.0 / 9);   // the same with threads
  EXPECT_DOUBLE_EQ(idle_share(9, 4, 2), 1 - 9.0 / 16);  // one rank has 3; one of its threads has 2
  EXPECT_EQ(idle_share(2, 2, 4), 0);                    // a team shares a micro-batch
  EXPECT_DOUBLE_EQ(idle_share(2, 1, 3),
                   1 - 2.0 / 3);  // the team of one is the slowest
}

}  // namespace
}  // namespace convoy::step
