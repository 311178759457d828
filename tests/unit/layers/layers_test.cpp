// Tests of single layers beyond the conformance suite.

#include <gtest/gtest.h>

#include <cmath>

#include "unit/layers/layer_run.hpp"

namespace convoy::nn {
namespace {

const kernels::KernelTable<double>& doubles() {
  return kernels::double_kernels();
}

Numbers sample_of(const Numbers& values, std::size_t n, std::size_t size) {
  return {values.begin() + static_cast<std::ptrdiff_t>(n * size),
          values.begin() + static_cast<std::ptrdiff_t>((n + 1) * size)};
}

struct DropoutMasks : testing::Test {
  static constexpr std::size_t kSize = 3 * 5 * 7;
  const Shape shape{3, 5, 7};

  /// The mask of each sample: the output of dropout for ones.
  Numbers masks(const std::vector<std::int64_t>& samples, std::uint64_t seed = 7, std::int64_t epoch = 3,
                std::uint64_t ordinal = 2, double rate = 0.25, Phase phase = Phase::kTraining) const {
    const auto layer = make_layer("dropout " + std::to_string(rate), shape, ordinal);
    LayerInput given;
    given.samples = samples;
    given.src.assign(samples.size() * kSize, 1);
    given.diff_dst = given.src;
    given.seed = seed;
    given.epoch = epoch;
    return run_layer(*layer, shape, given, doubles(), 1, phase).dst;
  }
};

TEST_F(DropoutMasks, DependOnTheSampleAndNotOnItsPlaceInTheMicroBatch) {
  const Numbers forth = masks({11, 12, 13});
  const Numbers back = masks({13, 5, 11});
  EXPECT_EQ(sample_of(forth, 0, kSize), sample_of(back, 2, kSize));
  EXPECT_EQ(sample_of(forth, 2, kSize), sample_of(back, 0, kSize));
  EXPECT_NE(sample_of(forth, 0, kSize), sample_of(forth, 1, kSize));
}

TEST_F(DropoutMasks, StayTheSameInASecondLaneBlock) {
  std::vector<std::int64_t> samples(17);
  std::iota(samples.begin(), samples.end(), 100);
  EXPECT_EQ(sample_of(masks(samples), 16, kSize), masks({116}));
}

TEST_F(DropoutMasks, DifferBetweenSeedsEpochsAndLayers) {
  const Numbers base = masks({11});
  EXPECT_NE(masks({11}, 8), base);
  EXPECT_NE(masks({11}, 7, 4), base);
  EXPECT_NE(masks({11}, 7, 3, 5), base);
}

TEST_F(DropoutMasks, KeepTheRestScaledByOneOverOneMinusRate) {
  std::vector<std::int64_t> samples(64);
  std::iota(samples.begin(), samples.end(), 0);
  const Numbers all = masks(samples);
  std::int64_t dropped = 0;
  for (const double value : all) {
    ASSERT_TRUE(value == 0 || value == 1 / 0.75) << value;
    dropped += value == 0 ? 1 : 0;
  }
  // Binomial: 6720 draws, standard deviation √(6720·0.25·0.75) = 35; tolerance five deviations.
  EXPECT_NEAR(static_cast<double>(dropped), 0.25 * static_cast<double>(all.size()), 5 * 35.5);
}

TEST_F(DropoutMasks, AreNotDrawnInEvaluation) {
  EXPECT_EQ(masks({11}, 7, 3, 2, 0.25, Phase::kEvaluation), Numbers(kSize, 1));
}

TEST(BatchNorm, AssignsSamplesTimesMeanAndUnbiasedVariance) {
  const Shape shape{1, 1, 2};
  const auto layer = make_layer("batchnorm", shape);
  LayerInput given{.samples = {0, 1}, .src = {1, 3, 5, 11}, .parameters = {1, 0}, .diff_dst = {1, 2, 3, 4}};
  const LayerOutput got = run_layer(*layer, shape, given, doubles());
  // Mean 5, squared deviations 16 + 4 + 0 + 36 = 56, over 3; times two samples.
  EXPECT_DOUBLE_EQ(got.batch_statistics[0], 2 * 5.);
  EXPECT_DOUBLE_EQ(got.batch_statistics[1], 2 * 56. / 3);
}

TEST(BatchNorm, NormalisesByItsMicroBatchInTrainingAndByRunningStatisticsInEvaluation) {
  const Shape shape{1, 1, 2};
  const auto layer = make_layer("batchnorm eps=1e-12", shape);
  LayerInput given{.samples = {0, 1}, .src = {1, 3, 5, 11}, .parameters = {2, 0.5}, .diff_dst = {1, 2, 3, 4}};
  const double deviation = std::sqrt(14.);
  const LayerOutput training = run_layer(*layer, shape, given, doubles());
  EXPECT_NEAR(training.dst[0], 2 * (1 - 5) / deviation + 0.5, 1e-12);
  // Running mean and variance are 1 in this test.
  const LayerOutput evaluation = run_layer(*layer, shape, given, doubles(), 1, Phase::kEvaluation);
  EXPECT_NEAR(evaluation.dst[3], 2 * (11 - 1) + 0.5, 1e-10);
}

TEST(BatchNorm, OfOneElementLeavesTheRunningVariance) {
  const Shape shape{1, 1, 1};
  LayerInput given{.samples = {0}, .src = {3}, .parameters = {1, 0}, .diff_dst = {1}};
  const LayerOutput got = run_layer(*make_layer("batchnorm", shape), shape, given, doubles());
  EXPECT_EQ(got.batch_statistics, (Numbers{3, 1}));  // it begins with 1
}

TEST(Upsample, RepeatsEveryPixelAndSumsTheirDiffs) {
  const auto layer = make_layer("upsample 2x3", {1, 1, 2});
  LayerInput given;
  given.samples = {0};
  given.src = {5, 7};
  given.diff_dst = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
  const auto result = run_layer(*layer, {1, 1, 2}, given, doubles(), 1, Phase::kTraining);
  EXPECT_EQ(result.dst, (Numbers{5, 5, 5, 7, 7, 7, 5, 5, 5, 7, 7, 7}));
  EXPECT_EQ(result.diff_src, (Numbers{66, 165}));
}

}  // namespace
}  // namespace convoy::nn
