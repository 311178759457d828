#include "comm/bucket_progress.hpp"

#include <gtest/gtest.h>

namespace convoy::comm {
namespace {

/// Moves the next bucket to merge through all remaining stages.
void complete_next(BucketProgress& progress) {
  const std::int64_t number = progress.next_to_merge();
  progress.merge();
  progress.finish();
  progress.gather(number);
  progress.retire(number);
}

TEST(BucketProgress, BeginsIdleWithAllDone) {
  const BucketProgress progress(3);
  EXPECT_TRUE(progress.is_idle());
  EXPECT_TRUE(progress.may_begin());
  EXPECT_TRUE(progress.is_done(2));
  EXPECT_FALSE(progress.may_merge());
  EXPECT_FALSE(progress.may_finish());
}

TEST(BucketProgress, GoesThroughTheStagesInTurn) {
  BucketProgress progress(1);
  progress.begin();
  EXPECT_EQ(progress.stage(0), Stage::kBegun);
  progress.contribute(0);
  EXPECT_EQ(progress.stage(0), Stage::kContributed);
  progress.merge();
  EXPECT_EQ(progress.stage(0), Stage::kMerged);
  progress.finish();
  EXPECT_EQ(progress.stage(0), Stage::kFinished);
  progress.gather(0);
  EXPECT_EQ(progress.stage(0), Stage::kGathered);
  EXPECT_FALSE(progress.is_idle());
  progress.retire(0);
  EXPECT_EQ(progress.stage(0), Stage::kDone);
  EXPECT_TRUE(progress.is_idle());
  EXPECT_EQ(progress.moves(), 6);
}

TEST(BucketProgress, ABucketWaitsForThoseBeforeIt) {
  BucketProgress progress(3);
  progress.begin();
  progress.contribute(2);
  progress.contribute(1);
  EXPECT_FALSE(progress.may_merge());
  EXPECT_EQ(progress.contributed_end(), 0);
  progress.contribute(0);
  EXPECT_TRUE(progress.may_merge());
  EXPECT_EQ(progress.contributed_end(), 3);
}

TEST(BucketProgress, OldestIsTheFirstThatIsNotDone) {
  BucketProgress progress(2);
  progress.begin();
  for (const int bucket : {0, 1}) progress.contribute(bucket);
  for (int i = 0; i < 2; ++i) progress.merge();
  for (int i = 0; i < 2; ++i) progress.finish();
  progress.gather(1);
  progress.retire(1);
  EXPECT_EQ(progress.oldest(), 0);
  progress.gather(0);
  progress.retire(0);
  EXPECT_EQ(progress.oldest(), 2);
}

TEST(BucketProgress, TwoStepsAreUnderWayAtMost) {
  BucketProgress progress(2);
  progress.begin();
  for (const int bucket : {0, 1}) progress.contribute(bucket);
  EXPECT_TRUE(progress.may_begin());
  progress.begin();
  EXPECT_FALSE(progress.is_done(0));
  for (const int bucket : {0, 1}) progress.contribute(bucket);
  EXPECT_FALSE(progress.may_begin());
  complete_next(progress);
  EXPECT_TRUE(progress.is_done(0));
  EXPECT_FALSE(progress.may_begin());
  complete_next(progress);
  EXPECT_TRUE(progress.may_begin());
}

TEST(BucketProgress, ABucketIsMergedOnceItIsDoneInTheStepBefore) {
  // A rank without leaves contributes at once.
  BucketProgress progress(1);
  progress.begin();
  progress.contribute(0);
  progress.merge();
  progress.begin();
  progress.contribute(0);
  EXPECT_FALSE(progress.may_merge());
  progress.finish();
  progress.gather(0);
  progress.retire(0);
  EXPECT_TRUE(progress.may_merge());
}

}  // namespace
}  // namespace convoy::comm
