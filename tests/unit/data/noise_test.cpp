#include "convoy/data/noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "convoy/core/layout.hpp"

namespace convoy::data {
namespace {

constexpr Shape kShape{3, 5, 7};

std::vector<float> images_of(const Split& split) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(split.samples()));
  std::iota(all.begin(), all.end(), 0);
  std::vector<float> images(static_cast<std::size_t>(lane_blocks(split.samples()) * kShape.size() * kLanes));
  split.load(all, noise_transform(kShape), images.data());
  return images;
}

TEST(Noise, HasMeanZeroAndDeviationOne) {
  const std::vector<float> images = images_of(make_noise(kShape, 64, 10));
  const auto n = static_cast<double>(images.size());
  double sum = 0;
  double squares = 0;
  for (const float x : images) {
    sum += static_cast<double>(x);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));      // five standard deviations of a mean
  EXPECT_NEAR(squares / n, 1, 5 / std::sqrt(n));  // x² has standard deviation 0.9
}

TEST(Noise, DrawsEveryClassAndNoOther) {
  const Split split = make_noise(kShape, 200, 3);
  ASSERT_EQ(split.samples(), 200);
  const auto [least, most] = std::ranges::minmax(split.labels());
  EXPECT_EQ(least, 0);
  EXPECT_EQ(most, 2);
}

TEST(Noise, IsTheSameEachTimeAndNoTwoImagesAreAlike) {
  const std::vector<float> images = images_of(make_noise(kShape, 16, 2));
  EXPECT_EQ(images, images_of(make_noise(kShape, 16, 2)));
  bool differ = false;
  for (std::size_t i = 0; i < images.size(); i += static_cast<std::size_t>(kLanes))
    differ = differ || images[i] != images[i + 1];
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace convoy::data
