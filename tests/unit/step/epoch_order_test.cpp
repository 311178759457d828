#include "convoy/step/epoch_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "convoy/data/noise.hpp"

namespace convoy::step {
namespace {

constexpr std::int64_t kOrderedSamples = 10;
constexpr std::int64_t kBatch = 4;

class EpochOrderTest : public testing::Test {
 protected:
  [[nodiscard]] EpochOrder order(bool shuffle, std::uint64_t seed = 3) const {
    data::Options options;
    options.shuffle = shuffle;
    return EpochOrder(data::SampleOrder(split_, options, seed, kBatch));
  }

  /// All samples of the current epoch, step by step.
  static std::vector<std::int64_t> samples(const EpochOrder& order) {
    std::vector<std::int64_t> all;
    for (std::int64_t step = 0; step * kBatch < kOrderedSamples; ++step) {
      const auto batch = order.batch(step, kBatch);
      all.insert(all.end(), batch.begin(), batch.end());
    }
    return all;
  }

  data::Split split_ = data::make_noise({1, 2, 2}, kOrderedSamples, 2);
};

TEST_F(EpochOrderTest, TellsAnEpochThatIsNewFromThePresentOne) {
  EpochOrder each = order(true);
  EXPECT_TRUE(each.begin_epoch(0));
  EXPECT_FALSE(each.begin_epoch(0));
  EXPECT_TRUE(each.begin_epoch(4));
  EXPECT_EQ(each.epoch(), 4);
}

TEST_F(EpochOrderTest, WithoutShuffleStepsAreStretchesAndTheLastHasTheRest) {
  EpochOrder each = order(false);
  each.begin_epoch(1);
  EXPECT_TRUE(std::ranges::equal(each.batch(0, kBatch), std::vector{0, 1, 2, 3}));
  EXPECT_TRUE(std::ranges::equal(each.batch(1, kBatch), std::vector{4, 5, 6, 7}));
  EXPECT_TRUE(std::ranges::equal(each.batch(2, kBatch), std::vector{8, 9}));
}

TEST_F(EpochOrderTest, EveryEpochHasEverySampleOnceAndItsOwnOrder) {
  std::vector<std::int64_t> numbers(kOrderedSamples);
  std::iota(numbers.begin(), numbers.end(), 0);
  EpochOrder each = order(true);
  std::vector<std::vector<std::int64_t>> orders;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    each.begin_epoch(epoch);
    orders.push_back(samples(each));
    EXPECT_TRUE(std::ranges::is_permutation(orders.back(), numbers));
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

TEST_F(EpochOrderTest, DependsOnSeedAndEpochAlone) {
  EpochOrder one = order(true);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) one.begin_epoch(epoch);
  EpochOrder other = order(true);
  other.begin_epoch(2);
  EXPECT_EQ(samples(one), samples(other));
  EpochOrder of_another_seed = order(true, 4);
  of_another_seed.begin_epoch(2);
  EXPECT_NE(samples(one), samples(of_another_seed));
}

}  // namespace
}  // namespace convoy::step
