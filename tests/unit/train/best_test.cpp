#include "best.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace convoy::train {
namespace {

using model::BestBy;

Evaluation evaluation(double loss, std::int64_t correct) {
  Evaluation result;
  result.loss = loss;
  result.correct = correct;
  result.samples = 10;
  return result;
}

config::Options options_with(BestBy best, std::int64_t patience = 0) {
  config::Options options;
  options.best = best;
  options.patience = patience;
  options.checkpoint_every_epochs = 0;
  return options;
}

/// Ends an epoch of 5 steps.
bool end_epoch(const config::Options& options, model::Progress& progress, const Evaluation& result) {
  progress.step += 5;
  const bool is_best = note_best(options, result, progress.epoch + 1, progress);
  ++progress.epoch;
  return is_best;
}

TEST(Best, IsTheFirstOfEqualEpochs) {
  const config::Options options = options_with(BestBy::kLoss);
  model::Progress progress;
  EXPECT_TRUE(end_epoch(options, progress, evaluation(2, 0)));
  EXPECT_FALSE(end_epoch(options, progress, evaluation(2, 9)));
  EXPECT_TRUE(end_epoch(options, progress, evaluation(1, 0)));
  EXPECT_FALSE(end_epoch(options, progress, evaluation(std::numeric_limits<double>::quiet_NaN(), 0)));
  EXPECT_EQ(progress.best.value, 1);
  EXPECT_EQ(progress.best.step, 15);
  EXPECT_EQ(progress.best.epoch, 3);
}

TEST(Best, OfAccuracyIsTheLargest) {
  const config::Options options = options_with(BestBy::kAccuracy);
  model::Progress progress;
  EXPECT_TRUE(end_epoch(options, progress, evaluation(1, 3)));
  EXPECT_TRUE(checkpoint_is_due(options, progress, true));
  EXPECT_FALSE(checkpoint_is_due(options, progress, false));
  EXPECT_FALSE(end_epoch(options, progress, evaluation(0.5, 3)));
  EXPECT_FALSE(checkpoint_is_due(options, progress, true));
  EXPECT_TRUE(end_epoch(options, progress, evaluation(9, 4)));
  EXPECT_EQ(progress.best.value, 0.4);
}

TEST(Best, ByAnotherMeasureBeginsAnew) {
  model::Progress progress;
  EXPECT_TRUE(end_epoch(options_with(BestBy::kLoss), progress, evaluation(0.1, 3)));
  const config::Options other = options_with(BestBy::kAccuracy, 1);
  progress.epoch = 7;
  EXPECT_FALSE(is_out_of_patience(other, progress));
  EXPECT_TRUE(end_epoch(other, progress, evaluation(9, 0)));
  EXPECT_FALSE(end_epoch(options_with(BestBy::kNone), progress, evaluation(0, 9)));
}

TEST(Patience, EndsWhenSoManyEpochsBringNothingBetter) {
  const config::Options options = options_with(BestBy::kLoss, 2);
  model::Progress progress;
  (void)end_epoch(options, progress, evaluation(1, 0));
  EXPECT_FALSE(is_out_of_patience(options, progress));
  (void)end_epoch(options, progress, evaluation(1, 0));
  EXPECT_FALSE(is_out_of_patience(options, progress));
  (void)end_epoch(options, progress, evaluation(3, 0));
  EXPECT_TRUE(is_out_of_patience(options, progress));
  EXPECT_FALSE(is_out_of_patience(options_with(BestBy::kLoss), progress));
}

}  // namespace
}  // namespace convoy::train
