// BMP by hand; GIF, TIFF and WebP by the encoders of their libraries, if the build has them.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "convoy/images/image_file.hpp"
#include "encoders.hpp"
#include "unit/images/decoding.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::images {
namespace {

using namespace std::string_literals;

/// Little-endian.
std::string number(std::uint32_t value, int count) {
  std::string bytes;
  for (; count > 0; --count, value >>= 8) bytes += static_cast<char>(value & 0xFF);
  return bytes;
}

struct BmpSettings {
  std::uint32_t bits = 24;
  std::uint32_t compression = 0;
  std::string colours{};  ///< palette (blue, green, red, 0) or masks
  std::uint32_t count = 0;
};
std::string bmp(std::int32_t width, std::int32_t height, const std::string& pixels,
                const BmpSettings& settings) {
  const auto offset = static_cast<std::uint32_t>(54 + settings.colours.size());
  return "BM" + number(0, 8) + number(offset, 4) + number(40, 4) +
         number(static_cast<std::uint32_t>(width), 4) + number(static_cast<std::uint32_t>(height), 4) +
         number(1, 2) + number(settings.bits, 2) + number(settings.compression, 4) + number(0, 12) +
         number(settings.count, 4) + number(0, 4) + settings.colours + pixels;
}
// Index i: red i, green 10 + i, blue 20 + i.
const std::string kColours = "\x14\x0a\0\0\x15\x0b\x01\0\x16\x0c\x02\0\x17\x0d\x03\0"s;

TEST(Bmp, ReadsRowsFromBelowAndFromAbove) {
  const std::string rows = "\x01\x02\x03\x04\x05\x06\0\0\x07\x08\x09\x0a\x0b\x0c\0\0"s;
  expect_image(bmp(2, 2, rows, {}), {3, 2, 2}, {9, 12, 3, 6, 8, 11, 2, 5, 7, 10, 1, 4});
  expect_image(bmp(2, -2, rows, {}), {3, 2, 2}, {3, 6, 9, 12, 2, 5, 8, 11, 1, 4, 7, 10});
}

TEST(Bmp, PalettesOfGreysMakeGreyImages) {
  const BmpSettings black_white{.bits = 1, .colours = "\0\0\0\0\xff\xff\xff\0"s};
  expect_image(bmp(3, 1, "\xa0\0\0\0"s, black_white), {1, 1, 3}, {255, 0, 255});
  expect_image(bmp(2, 1, "\x12\0\0\0"s, {.bits = 4, .colours = kColours, .count = 4}), {3, 1, 2},
               {1, 2, 11, 12, 21, 22});
  EXPECT_HOLDS(complaint(bmp(2, 1, "\x14\0\0\0"s, {.bits = 4, .colours = kColours, .count = 4})),
               "a pixel has colour 4 of a palette of 4");
}

TEST(Bmp, MasksOfAnyWidthAreScaledToABytesRange) {
  const auto masks = [](std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
    return number(red, 4) + number(green, 4) + number(blue, 4);
  };
  // 5 and 6 bits: 31 and 63 are 255; 16 of 31 is 131.
  expect_image(bmp(2, 1, number(0xFFFF, 2) + number(16U << 11, 2),
                   {.bits = 16, .compression = 3, .colours = masks(0xF800, 0x7E0, 0x1F)}),
               {3, 1, 2}, {255, 131, 255, 0, 255, 0});
  // 10 bits: 512 of 1,023 is 127.
  expect_image(bmp(1, 1, number(512U << 20 | 1023U << 10 | 0U, 4),
                   {.bits = 32, .compression = 3, .colours = masks(0x3FF00000, 0xFFC00, 0x3FF)}),
               {3, 1, 1}, {127, 255, 0});
}

TEST(Bmp, RunLengthsHaveRunsCopiesAndSkips) {
  // From below: 1 1 1 2 3; then one skipped, a run that goes beyond the row; a skip of a row; the end.
  const std::string runs = "\x03\x01\0\x04\x02\x03\x01\x01\0\0\0\x02\x01\0\x09\x03\0\0\0\x01"s;
  const Image image = decode(bmp(5, 3, runs, {.bits = 8, .compression = 1, .colours = kColours, .count = 4}));
  EXPECT_EQ(image.shape, (Shape{3, 3, 5}));
  const Bytes red(image.pixels.begin(), image.pixels.begin() + 15);
  EXPECT_EQ(red, (Bytes{0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 1, 1, 1, 2, 3}));
  // Half bytes: 1 2 1, then 3 0 1 copied; no mark at the end.
  expect_image(bmp(6, 1, "\x03\x12\0\x03\x30\x10\0\0"s,
                   {.bits = 4, .compression = 2, .colours = kColours, .count = 4}),
               {3, 1, 6}, {1, 2, 1, 3, 0, 1, 11, 12, 11, 13, 10, 11, 21, 22, 21, 23, 20, 21});
}

TEST(Bmp, WhatIsNotReadIsNamed) {
  EXPECT_HOLDS(complaint(bmp(1, 1, "abcd", {.bits = 24, .compression = 4})),
               "24 bits a pixel with compression 4");
  EXPECT_HOLDS(complaint(bmp(1, 1, "abcd", {.bits = 7})), "7 bits a pixel");
  EXPECT_HOLDS(complaint(bmp(0, 1, "abcd", {})), "it has 1x0 pixels");
  EXPECT_HOLDS(complaint(bmp(65535, 65535, "abcd", {})), "100,000,000 in all are read");
  EXPECT_HOLDS(complaint(bmp(2, 2, "\0\0\0\0\0\0\0\0\0\0\0\0\0"s, {})), "it is cut short, in row 2 of 2");
}

/// Every truncation is an error, or gives the same image if what is missing says nothing of the first image;
/// every flipped byte is an error or gives an image.
void expect_robust(const std::string& whole, bool has_unread_end = false) {
  const Image sound = decode(whole);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    try {
      const Image image = decode(whole.substr(0, bytes));
      EXPECT_TRUE(has_unread_end && image.pixels == sound.pixels) << bytes << " of " << whole.size();
    } catch (const DataError& error) {
      EXPECT_HOLDS(std::string(error.what()), "bad image an image (");
    }
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char change : {'\x01', '\x10', '\xff'}) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ change);
      try {
        const Image image = decode(flipped);
        EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.shape.size()));
      } catch (const DataError& error) {
        EXPECT_HOLDS(std::string(error.what()), "bad image an image (");
      }
    }
  }
}

TEST(Bmp, EveryTruncationIsNamedAndNoFlippedByteDoesHarm) {
  expect_robust(bmp(2, 2, "\x01\x02\x03\x04\x05\x06\0\0\x07\x08\x09\x0a\x0b\x0c"s, {}));
  expect_robust(bmp(5, 2, "\x03\x01\0\x04\x02\x03\x01\x01\0\0\0\x02\x01\0\x04\x03\0\x01"s,
                    {.bits = 8, .compression = 1, .colours = kColours, .count = 4}),
                true);
}

/// [H][W][C], with runs and changes.
[[maybe_unused]] Bytes samples(std::int64_t count) {
  Bytes all(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i / 7 * 7);
  return all;
}
[[maybe_unused]] Bytes planes(const Bytes& interleaved, std::size_t channels) {
  Bytes all;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = c; i < interleaved.size(); i += channels) all.push_back(interleaved[i]);
  return all;
}

#ifdef CONVOY_HAS_WEBP
TEST(Webp, ReadsWhatLibwebpWrote) {
  const Bytes colours = samples(16 * 11 * 3);
  const std::string whole = test::webp_bytes(16, 11, colours);
  expect_image(whole, {3, 11, 16}, planes(colours, 3));
  expect_robust(whole);
}
#endif

#ifdef CONVOY_HAS_GIF
TEST(Gif, ReadsWhatGiflibWrote) {
  Bytes indices = samples(19 * 13);
  for (std::uint8_t& index : indices) index %= 8;
  for (const bool is_interlaced : {false, true}) {
    const std::string whole = test::gif_bytes(19, 13, indices, is_interlaced);
    const Image image = decode(whole);
    ASSERT_EQ(image.shape, (Shape{3, 13, 19}));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      EXPECT_EQ(image.pixels[i], 10 * indices[i]);
      EXPECT_EQ(image.pixels[i + indices.size()], 20 * indices[i]);
      EXPECT_EQ(image.pixels[i + 2 * indices.size()], 255 - indices[i]);
    }
    expect_robust(whole);
  }
}
#endif

#ifdef CONVOY_HAS_TIFF
TEST(Tiff, ReadsStripsAndTilesOfEveryCompression) {
  for (const int compression : {1, 5, 8, 32773}) {  // none, LZW, deflate, PackBits
    for (const bool is_tiled : {false, true}) {
      const Bytes colours = samples(16 * 16 * 3);
      const std::string whole = test::tiff_bytes(16, 16, 3, colours, compression, is_tiled);
      expect_image(whole, {3, 16, 16}, planes(colours, 3));
      expect_robust(whole, true);
      const Bytes greys = samples(16 * 16);
      expect_image(test::tiff_bytes(16, 16, 1, greys, compression, is_tiled), {1, 16, 16}, greys);
    }
  }
}

TEST(Tiff, ErrorsOfLibtiffAreSaidOnceAndAsOurs) {
  testing::internal::CaptureStderr();
  EXPECT_HOLDS(complaint("II*\0\x08\0\0\0"s), "bad image an image (");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Tiff, AbsurdTilesTakeNoMemory) {
  std::string whole = test::tiff_bytes(16, 16, 3, samples(16 * 16 * 3), 1, true);
  for (const char tag : {'\x42', '\x43'}) {  // width and height of tiles, as 16 or 32 bits
    const std::size_t entry = whole.find(tag + "\x01"s, 8 + 16 * 16 * 3);
    ASSERT_NE(entry, std::string::npos);
    whole.replace(entry + 8, 4, whole[entry + 2] == 3 ? "\xf0\xff\0\0"s : "\xf0\xff\0\0"s);
  }
  EXPECT_HOLDS(complaint(whole), "bad image an image (");
}
#endif

TEST(Formats, AMissingOneIsNamedWithItsPackage) {
  for (const auto& [bytes, name] :
       {std::pair{"RIFF\x04\0\0\0WEBP"s, "WebP"}, {"II*\0"s, "TIFF"}, {"GIF89a"s, "GIF"}}) {
    const std::string message = complaint(bytes);
    if (message.find("this build has no") == std::string::npos) continue;
    EXPECT_HOLDS(message, "this build has no "s + name + " (Debian: lib");
  }
}

}  // namespace
}  // namespace convoy::images
