// A single rank, which recomputes its own micro-batches. For several ranks see tests/integration.

#include "convoy/step/cross_check.hpp"

#include <gtest/gtest.h>

#include <set>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"

namespace convoy::step {
namespace {

TEST(LeafToCheck, IsOneOfTheRanksOwnAndEveryOneInTurn) {
  constexpr std::int64_t kLeaves = 11;
  constexpr int kRanks = 3;
  for (int rank = 0; rank < kRanks; ++rank) {
    const Range block = comm::leaf_block(kLeaves, kRanks, rank);
    std::set<std::int64_t> seen;
    for (std::int64_t step = 5; step < 5 + block.size(); ++step)
      seen.insert(leaf_to_check(kLeaves, step, kRanks, rank));
    EXPECT_EQ(static_cast<std::int64_t>(seen.size()), block.size());
    EXPECT_GE(*seen.begin(), block.begin);
    EXPECT_LT(*seen.rbegin(), block.end);
  }
}

TEST(LeafToCheck, IsNoneIfARankOrTheOneBeforeItHasNoMicroBatch) {
  constexpr int kRanks = 4;
  const auto has_any = [](int rank) { return comm::leaf_block(2, kRanks, rank % kRanks).size() > 0; };
  for (int rank = 0; rank < kRanks; ++rank) {
    const bool is_checked = has_any(rank) && has_any(rank + kRanks - 1);
    EXPECT_EQ(leaf_to_check(2, 0, kRanks, rank) >= 0, is_checked) << rank;
  }
}

class CrossCheckTest : public testing::Test {
 protected:
  CrossCheckTest() { check_.begin(3, 7); }

  /// Passes both computations of the chosen micro-batch. They differ in a value of operation 1: by
  /// parameter_change in a parameter, by statistic_change in a statistic.
  void see_both(float parameter_change, float statistic_change) {
    for (const bool is_again : {false, true}) {
      for (int operation = 0; operation < 2; ++operation) {
        const float change = is_again && operation == 1 ? 1.F : 0.F;
        const std::vector<float> parameters{1, 2, 3 + change * parameter_change};
        const std::vector<float> statistics{4 + change * statistic_change};
        check_.see(check_.again(), operation, parameters, statistics, is_again);
      }
    }
  }

  CrossCheck check_{comm::Communicator::self(), 2};
};

TEST_F(CrossCheckTest, EqualGradientsPass) {
  see_both(0, 0);
  EXPECT_NO_THROW(check_.verify());
}

TEST_F(CrossCheckTest, OneOtherBitOfAParameterFails) {
  see_both(0x1p-22F, 0);
  EXPECT_THROW(check_.verify(), DisagreementError);
}

TEST_F(CrossCheckTest, OneOtherBitOfAStatisticFails) {
  see_both(0, 0x1p-21F);
  EXPECT_THROW(check_.verify(), DisagreementError);
}

TEST_F(CrossCheckTest, MicroBatchesThatAreNotChosenDoNotMatter) {
  see_both(0, 0);
  const std::int64_t other = (check_.again() + 1) % 3;
  check_.see(other, 0, std::vector<float>{9}, {}, false);
  check_.see(other, 0, std::vector<float>{8}, {}, true);
  EXPECT_NO_THROW(check_.verify());
}

}  // namespace
}  // namespace convoy::step
