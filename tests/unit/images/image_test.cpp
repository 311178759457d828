#include "convoy/images/image.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

namespace convoy::images {
namespace {

using Bytes = std::vector<std::uint8_t>;

Image row_of(Bytes pixels) {
  const auto width = static_cast<std::int64_t>(pixels.size());
  return {{1, 1, width}, std::move(pixels)};
}
Image column_of(Bytes pixels) {
  const auto height = static_cast<std::int64_t>(pixels.size());
  return {{1, height, 1}, std::move(pixels)};
}

// From four pixels to two: the triangle reaches 2 pixels to either side. The first output, centred between
// pixels 0 and 1, weighs pixels 0, 1, 2 as 3/4 : 3/4 : 1/4, that is 3/7, 3/7, 1/7; the second is symmetric.
TEST(Resized, WorkedByHandWhereItShrinks) {
  // (3·0 + 3·100 + 200)/7 = 71.4, (100 + 3·200 + 3·40)/7 = 117.1
  EXPECT_EQ(resized(row_of({0, 100, 200, 40}), 1, 2).pixels, (Bytes{71, 117}));
  EXPECT_EQ(resized(column_of({0, 100, 200, 40}), 2, 1).pixels, (Bytes{71, 117}));
}

// From two pixels to four: the centres are 1/4, 3/4, 5/4, 7/4. Between the source centres (1/2, 3/2) the
// weights are 3/4 and 1/4; outside, the nearest pixel has weight 1.
TEST(Resized, WorkedByHandWhereItGrows) {
  EXPECT_EQ(resized(row_of({0, 80}), 1, 4).pixels, (Bytes{0, 20, 60, 80}));
  EXPECT_EQ(resized(column_of({0, 80}), 4, 1).pixels, (Bytes{0, 20, 60, 80}));
}

TEST(Resized, LeavesOneColourAlone) {
  for (const std::int64_t extent : {1, 2, 7, 31, 64}) {
    const Image image = resized({{3, 5, 9}, Bytes(135, 255)}, extent, extent + 3);
    EXPECT_EQ(image.shape, (Shape{3, extent, extent + 3}));
    EXPECT_EQ(image.pixels, Bytes(static_cast<std::size_t>(image.shape.size()), 255));
  }
}

TEST(Resized, ToTheSameSizeIsTheSameImage) {
  Bytes pixels(24);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{7});
  EXPECT_EQ(resized({{1, 4, 6}, pixels}, 4, 6).pixels, pixels);
}

TEST(WithChannels, WeighsColoursAsBt601AndRepeatsGrey) {
  // One red, one green, one blue, one white pixel: 0.299, 0.587, 0.114 and 1 times 255.
  const Image colour{{3, 1, 4}, {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255}};
  const Image grey = with_channels(colour, 1);
  EXPECT_EQ(grey.shape, (Shape{1, 1, 4}));
  EXPECT_EQ(grey.pixels, (Bytes{76, 150, 29, 255}));
  const Image again = with_channels(grey, 3);
  EXPECT_EQ(again.shape, (Shape{3, 1, 4}));
  EXPECT_EQ(again.pixels, (Bytes{76, 150, 29, 255, 76, 150, 29, 255, 76, 150, 29, 255}));
  EXPECT_EQ(with_channels(colour, 3).pixels, colour.pixels);
}

TEST(CutToRatio, TakesTheLargestPartFromTheMiddle) {
  const Image wide{{1, 2, 4}, {0, 1, 2, 3, 10, 11, 12, 13}};
  EXPECT_EQ(cut_to_ratio(wide, 5, 5).pixels, (Bytes{1, 2, 11, 12}));
  const Image high{{2, 3, 1}, {0, 1, 2, 10, 11, 12}};
  const Image cut = cut_to_ratio(high, 7, 7);
  EXPECT_EQ(cut.shape, (Shape{2, 1, 1}));
  EXPECT_EQ(cut.pixels, (Bytes{1, 11}));
  EXPECT_EQ(cut_to_ratio(wide, 100, 200).pixels, wide.pixels);
  EXPECT_EQ(cut_to_ratio(wide, 1, 1000).shape, (Shape{1, 1, 4})) << "never less than a pixel";
}

}  // namespace
}  // namespace convoy::images
