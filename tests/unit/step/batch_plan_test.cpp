#include "convoy/step/batch_plan.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::step {
namespace {

TEST(BatchPlan, AsManyRanksAsMicroBatchesAreRight) {
  Options options;
  options.batch = 20;
  options.micro_batch = 6;
  EXPECT_NO_THROW(BatchPlan(options).require_work_for(4));
  EXPECT_THROW(BatchPlan(options).require_work_for(5), ConfigError);
}

TEST(BatchPlan, TheMicroBatchThatItNamesGivesEveryRankOneAndIsEvenWhereItCanBe) {
  Options options;
  options.batch = 20;
  options.micro_batch = 20;
  for (int ranks = 2; ranks <= 20; ++ranks) {
    const std::int64_t named = 20 / ranks;
    EXPECT_GE(ceil_div(20, named), ranks);
    EXPECT_HOLDS(test::message_of<ConfigError>([&] { BatchPlan(options).require_work_for(ranks); }),
                 "train.micro-batch = " + std::to_string(named) + " or less would do");
  }
  EXPECT_HOLDS(test::message_of<ConfigError>([&] { BatchPlan(options).require_work_for(21); }),
               "at most 20 ranks");
}

TEST(BatchPlan, AnEpochsLastStepHasWhatIsLeft) {
  Options options;
  options.batch = 20;
  options.micro_batch = 6;
  const BatchPlan plan(options, 47);
  EXPECT_EQ(plan.steps_per_epoch(), 3);
  EXPECT_EQ(plan.samples_of_step(0), 20);
  EXPECT_EQ(plan.samples_of_step(2), 7);
  EXPECT_EQ(plan.samples_of_step(5), 7);  // in the second epoch
  EXPECT_EQ(plan.micro_batches(), 4);
  EXPECT_EQ(plan.micro_batches_of_last_step(), 2);
}

TEST(BatchPlan, EveryStepIsWholeIfTheBatchDividesTheSamples) {
  Options options;
  options.batch = 16;
  options.micro_batch = 4;
  const BatchPlan plan(options, 48);
  EXPECT_EQ(plan.steps_per_epoch(), 3);
  EXPECT_EQ(plan.samples_of_step(2), 16);
  EXPECT_EQ(plan.micro_batches_of_last_step(), 4);
}

TEST(BatchPlan, ASplitBelowTheBatchIsOneStep) {
  Options options;
  options.batch = 128;
  options.micro_batch = 16;
  const BatchPlan plan(options, 33);
  EXPECT_EQ(plan.steps_per_epoch(), 1);
  EXPECT_EQ(plan.most_samples(), 33);
  EXPECT_EQ(plan.micro_batches(), 3);
  EXPECT_NO_THROW(plan.require_work_for(8));  // only whole batches are checked
}

TEST(BatchPlan, PositionsOfABlockAreItsMicroBatchesSamples) {
  Options options;
  options.batch = 20;
  options.micro_batch = 6;
  const Range positions = BatchPlan(options).positions({1, 3});
  EXPECT_EQ(positions.begin, 6);
  EXPECT_EQ(positions.end, 18);
}

}  // namespace
}  // namespace convoy::step
