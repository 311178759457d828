#include "convoy/data/augment.hpp"

#include <gtest/gtest.h>

#include <set>
#include <tuple>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "data/lanes.hpp"

namespace convoy::data {
namespace {

/// One channel, 2x3:  1 2 3 / 4 5 6.
const std::vector<std::uint8_t> kImage{1, 2, 3, 4, 5, 6};

InputTransform plain(const Shape& shape, double scale = 1) {
  return {.shape = shape,
          .scale = scale,
          .mean = std::vector<double>(static_cast<std::size_t>(shape.c), 0.0),
          .std = std::vector<double>(static_cast<std::size_t>(shape.c), 1.0)};
}

/// Returns lane 5 of the result of fill_lane.
template <class Pixel>
std::vector<float> changed(const std::vector<Pixel>& image, const InputTransform& transform,
                           const ImageChange& change) {
  constexpr std::size_t kLane = 5;
  std::vector<float> block(image.size() * kLanes, -1);
  fill_lane(image.data(), transform, change, kLane, block.data());
  std::vector<float> lane;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (i % kLanes == kLane) {
      lane.push_back(block[i]);
    } else {
      EXPECT_EQ(block[i], -1) << "another lane was written";
    }
  }
  return lane;
}

std::vector<float> in_255ths(const std::vector<int>& values) {
  std::vector<float> result;
  for (const int value : values) result.push_back(static_cast<float>(value * (1. / 255)));
  return result;
}

TEST(ImageChange, NothingChangedIsWhatFillBlockWrites) {
  const Shape shape{3, 2, 2};
  InputTransform transform = plain(shape, 1. / 255);
  transform.mean = {0.1, 0.2, 0.3};
  transform.std = {0.5, 0.6, 0.7};
  const std::vector<std::uint8_t> image{0, 1, 2, 3, 100, 101, 102, 103, 252, 253, 254, 255};
  std::array<const std::uint8_t*, kLanes> images{};
  images.fill(image.data());
  std::vector<float> block(image.size() * kLanes);
  fill_block(images, transform, block.data());
  const std::vector<float> lane = changed(image, transform, {});
  for (std::size_t i = 0; i < lane.size(); ++i) EXPECT_EQ(lane[i], block[i * kLanes + 3]);
}

TEST(ImageChange, CropTakesAWindowWithBlackBeyondTheImage) {
  const InputTransform transform = plain({1, 2, 3}, 1. / 255);
  EXPECT_EQ(changed(kImage, transform, {.down = 1, .right = -1}), in_255ths({0, 4, 5, 0, 0, 0}));
  EXPECT_EQ(changed(kImage, transform, {.down = -1, .right = 2}), in_255ths({0, 0, 0, 3, 0, 0}));
  EXPECT_EQ(changed(kImage, transform, {.down = 5, .right = -7}), in_255ths({0, 0, 0, 0, 0, 0}));
}

TEST(ImageChange, BlackBeyondTheImageIsNormalisedToo) {
  InputTransform transform = plain({1, 2, 3}, 1. / 255);
  transform.mean = {0.5};
  transform.std = {0.25};
  EXPECT_EQ(changed(kImage, transform, {.down = 9}), std::vector<float>(6, -2));
}

TEST(ImageChange, FlipComesAfterTheCrop) {
  const InputTransform transform = plain({1, 2, 3}, 1. / 255);
  EXPECT_EQ(changed(kImage, transform, {.is_flipped = true}), in_255ths({3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(changed(kImage, transform, {.right = 1, .is_flipped = true}), in_255ths({0, 3, 2, 0, 6, 5}));
}

TEST(ImageChange, BrightnessMultipliesAndKeepsBytesInRange) {
  const std::vector<std::uint8_t> image{0, 51, 102, 153, 204, 255};
  const std::vector<float> got = changed(image, plain({1, 2, 3}, 1. / 255), {.brightness = 1.5});
  const std::vector<double> expected{0, 0.3, 0.6, 0.9, 1, 1};
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

TEST(ImageChange, FloatsAreNotClamped) {
  const std::vector<float> image{-1, 0, 1, 2, 3, 4};
  EXPECT_EQ(changed(image, plain({1, 2, 3}), {.brightness = 2}), (std::vector<float>{-2, 0, 2, 4, 6, 8}));
}

TEST(ImageChange, ContrastGoesAroundTheMeanGrey) {
  // Mean 2.5.
  const std::vector<float> image{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(changed(image, plain({1, 2, 3}), {.contrast = 2}),
            (std::vector<float>{-2.5, -0.5, 1.5, 3.5, 5.5, 7.5}));
  EXPECT_EQ(changed(image, plain({1, 2, 3}), {.contrast = 0}), std::vector<float>(6, 2.5));
}

TEST(ImageChange, GreyOfThreeChannelsIsLuma) {
  const std::vector<float> image{10, 20, 30};
  const std::vector<float> got = changed(image, plain({3, 1, 1}), {.contrast = 0});
  for (const float value : got) EXPECT_NEAR(value, 0.299 * 10 + 0.587 * 20 + 0.114 * 30, 1e-5);
}

TEST(ImageChange, CutoutIsZeroAfterNormalisation) {
  InputTransform transform = plain({1, 2, 3}, 1);
  transform.mean = {10};
  EXPECT_EQ(
      changed(std::vector<float>{1, 2, 3, 4, 5, 6}, transform, {.hole_rows = {0, 1}, .hole_columns = {1, 3}}),
      (std::vector<float>{-9, 0, 0, -6, -5, -4}));
}

TEST(DrawChange, IsAFunctionOfSeedEpochAndSample) {
  const Augmentation all{.crop = 4, .flips = true, .brightness = 0.5, .contrast = 0.5, .cutout = 3};
  const Shape shape{3, 32, 32};
  const auto key = [&](std::uint64_t seed, std::int64_t epoch, std::int64_t sample) {
    const ImageChange change = draw_change(all, shape, seed, epoch, sample);
    return std::tuple(change.down, change.right, change.brightness, change.contrast, change.hole_rows.begin);
  };
  EXPECT_EQ(key(1, 2, 3), key(1, 2, 3));
  EXPECT_NE(key(1, 2, 3), key(2, 2, 3));
  EXPECT_NE(key(1, 2, 3), key(1, 3, 3));
  EXPECT_NE(key(1, 2, 3), key(1, 2, 4));
}

TEST(DrawChange, OneKindDoesNotChangeWhatAnotherDraws) {
  const Shape shape{1, 8, 8};
  for (std::int64_t sample = 0; sample < 20; ++sample) {
    const ImageChange alone = draw_change({.crop = 2}, shape, 1, 0, sample);
    const ImageChange both = draw_change({.crop = 2, .flips = true, .cutout = 2}, shape, 1, 0, sample);
    EXPECT_EQ(alone.down, both.down);
    EXPECT_EQ(alone.right, both.right);
  }
}

TEST(DrawChange, ReachesEveryValueAndNoOther) {
  std::set<std::int64_t> offsets;
  std::set<std::int64_t> sides;
  int flips = 0;
  constexpr int kDraws = 1000;
  for (std::int64_t sample = 0; sample < kDraws; ++sample) {
    const ImageChange change = draw_change(
        {.crop = 2, .flips = true, .brightness = 0.25, .contrast = 2, .cutout = 3}, {1, 8, 8}, 5, 1, sample);
    offsets.insert(change.down);
    offsets.insert(change.right);
    flips += change.is_flipped ? 1 : 0;
    EXPECT_GE(change.brightness, 0.75);
    EXPECT_LT(change.brightness, 1.25);
    EXPECT_GE(change.contrast, 0);
    EXPECT_LT(change.contrast, 3);
    EXPECT_GE(change.hole_rows.begin, 0);
    EXPECT_LE(change.hole_rows.end, 8);
    sides.insert(change.hole_rows.size());
  }
  EXPECT_EQ(offsets, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(sides, (std::set<std::int64_t>{2, 3}));  // clipped at the border
  EXPECT_NEAR(flips, kDraws / 2, 5 * 16);            // five standard deviations
}

TEST(ParseAugmentation, ReadsWhatTextOfWrites) {
  const Augmentation all{.crop = 4, .flips = true, .brightness = 0.2, .contrast = 0.3, .cutout = 8};
  EXPECT_EQ(text_of(all), "crop=4 flip=horizontal brightness=0.2 contrast=0.3 cutout=8");
  EXPECT_EQ(parse_augmentation(text_of(all)), all);
  EXPECT_EQ(parse_augmentation("none"), Augmentation{});
  EXPECT_EQ(text_of({}), "none");
  for (const char* wrong :
       {"", "crop", "crop=0", "crop=-1", "crop=4.5", "flip=vertical", "flip=yes", "brightness=0",
        "contrast=11", "crop=4 crop=4", "none crop=4", "blur=1", "cutout=99999"})
    EXPECT_EQ(parse_augmentation(wrong), std::nullopt) << wrong;
}

TEST(RequireFits, RefusesWhatIsLargerThanAImage) {
  EXPECT_NO_THROW(require_fits({.crop = 7, .cutout = 7}, {1, 8, 9}));
  EXPECT_THROW(require_fits({.crop = 8}, {1, 8, 9}), ConfigError);
  EXPECT_THROW(require_fits({.cutout = 8}, {1, 9, 8}), ConfigError);
}

}  // namespace
}  // namespace convoy::data
