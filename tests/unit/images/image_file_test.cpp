#include "convoy/images/image_file.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "unit/images/decoding.hpp"
#include "unit/images/image_bytes.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::images {
namespace {

using test::jpeg_bytes;
using test::message_of;
using test::png_bytes;
using namespace std::string_literals;

TEST(Pnm, ReadsAllFourKinds) {
  expect_image("P2\n3 2\n255\n0 1 2\n253 254 255\n", {1, 2, 3}, {0, 1, 2, 253, 254, 255});
  expect_image("P5 3 2 255\n\0\x01\x02\xfd\xfe\xff"s, {1, 2, 3}, {0, 1, 2, 253, 254, 255});
  // Different values per channel: red 1 and 4, green 2 and 5, blue 3 and 6.
  expect_image("P3 2 1 255 1 2 3 4 5 6", {3, 1, 2}, {1, 4, 2, 5, 3, 6});
  expect_image("P6 2 1 255\n\x01\x02\x03\x04\x05\x06", {3, 1, 2}, {1, 4, 2, 5, 3, 6});
}

TEST(Pnm, ScalesEveryMaximumToABytesRange) {
  expect_image("P2 4 1 3 0 1 2 3", {1, 1, 4}, {0, 85, 170, 255});
  // 65535 · 128/255 = 32896; half a unit less still rounds to 128.
  expect_image("P5 3 1 65535\n\0\0\x80\x80\xff\xff"s, {1, 1, 3}, {0, 128, 255});
  expect_image("P5 1 1 1000\n\x01\xf4"s, {1, 1, 1}, {128});  // 500/1000 of 255
}

TEST(Pnm, SkipsCommentsBetweenNumbers) {
  expect_image("P2 # grey\n# two lines\n2#width\n1 3\n0 # a pixel\n3", {1, 1, 2}, {0, 255});
  expect_image("P5\n#\n1 1 255\n#", {1, 1, 1}, {'#'});
}

TEST(Pnm, NamesWhatIsWrong) {
  EXPECT_HOLDS(complaint("P5 3 2 255\nabcde"), "bad image an image (it is cut short: 5 of 6 bytes");
  EXPECT_HOLDS(complaint("P6 1 1 256\nabcde"), "5 of 6");
  EXPECT_HOLDS(complaint("P2 2 1 255 1"), "it is cut short, before a pixel");
  EXPECT_HOLDS(complaint("P2 1 1 7 8"), "a pixel of 8 is above its maximum of 7");
  EXPECT_HOLDS(complaint("P5 1 1 7\n\x08"), "above its maximum");
  EXPECT_HOLDS(complaint("P2 2 1 255 1 -2"), "a pixel is not a number");
  EXPECT_HOLDS(complaint("P2 1x 1 255 1"), "width is not a number");
  EXPECT_HOLDS(complaint("P5 1 1 255\nab"), "it goes on after its last pixel");
  EXPECT_HOLDS(complaint("P5 1 1 255"), "no blank follows");
  EXPECT_HOLDS(complaint("P5"), "it is cut short, before width");
  EXPECT_HOLDS(complaint("P5 0 1 255\n"), "its width of 0 is not from 1 to 65,535");
  EXPECT_HOLDS(complaint("P5 1 1 65536\na"), "its maximum of 65,536");
  EXPECT_HOLDS(complaint("P5 99999999999999999999999999 1 255\na"), "its width of");
  EXPECT_HOLDS(complaint("P5 65535 65535 255\na"), "100,000,000 in all are read");
}

TEST(Png, ReadsGreyColourAndAlpha) {
  expect_image(png_bytes(3, 2, {0, 1, 2, 3, 4, 255}), {1, 2, 3}, {0, 1, 2, 3, 4, 255});
  expect_image(png_bytes(2, 1, {1, 2, 3, 4, 5, 6}, {.colour_type = PNG_COLOR_TYPE_RGB}), {3, 1, 2},
               {1, 4, 2, 5, 3, 6});
  // Alpha, the last sample of each pixel, is dropped, also if it is 0.
  expect_image(png_bytes(2, 1, {1, 2, 3, 0, 4, 5, 6, 9}, {.colour_type = PNG_COLOR_TYPE_RGB_ALPHA}),
               {3, 1, 2}, {1, 4, 2, 5, 3, 6});
  expect_image(png_bytes(2, 1, {7, 0, 8, 9}, {.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA}), {1, 1, 2}, {7, 8});
}

TEST(Png, ExpandsPalettesAndFewBits) {
  const test::PngSettings palette{.colour_type = PNG_COLOR_TYPE_PALETTE,
                                  .depth = 2,
                                  .palette = {{10, 20, 30}, {40, 50, 60}, {70, 80, 90}},
                                  .palette_alpha = {0, 128}};
  expect_image(png_bytes(3, 1, {0b00011000}, palette), {3, 1, 3}, {10, 40, 70, 20, 50, 80, 30, 60, 90});
  expect_image(png_bytes(4, 1, {0b00011011}, {.depth = 2}), {1, 1, 4}, {0, 85, 170, 255});
  expect_image(png_bytes(2, 1, {0b01000000}, {.depth = 1}), {1, 1, 2}, {0, 255});
}

TEST(Png, ScalesSixteenBitsToEightRounding) {
  // v·255/65535: 0x0080 is 0.498, 0x0081 is 0.502.
  expect_image(png_bytes(4, 1, {0, 0x80, 0, 0x81, 0x80, 0x80, 0xff, 0xff}, {.depth = 16}), {1, 1, 4},
               {0, 1, 128, 255});
}

TEST(Png, ReadsInterlacedFiles) {
  Bytes pixels(17 * 13);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7);
  expect_image(png_bytes(17, 13, pixels, {.interlace = PNG_INTERLACE_ADAM7}), {1, 13, 17}, pixels);
}

TEST(Png, EveryTruncationAndEveryFlippedByteThatMattersIsNamed) {
  const std::string whole = png_bytes(3, 2, {9, 1, 200, 3, 4, 255});
  for (std::size_t bytes = 8; bytes < whole.size(); ++bytes)
    EXPECT_HOLDS(complaint(whole.substr(0, bytes)), "bad image an image (");
  for (std::size_t i = 16; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] ^= 0x10;
    EXPECT_HOLDS(complaint(flipped), "bad image an image (");
  }
}

/// The same file with another width and height in its header, and a matching checksum.
std::string with_extents(std::string png, std::uint32_t width, std::uint32_t height) {
  const auto put = [&](std::size_t at, std::uint32_t word) {
    for (std::size_t i = 0; i < 4; ++i) png[at + i] = static_cast<char>(word >> (24 - 8 * i) & 0xFF);
  };
  put(16, width);
  put(20, height);
  put(29, static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(&png[12]), 17)));
  return png;
}

TEST(Png, AHeaderIsNotTakenAtItsWord) {
  const std::string small = png_bytes(3, 2, {9, 1, 200, 3, 4, 255});
  EXPECT_EQ(with_extents(small, 3, 2), small);
  EXPECT_HOLDS(complaint(with_extents(small, 65535, 1527)), "it has 1,527x65,535 pixels; 1 to 65,535 a side");
  EXPECT_HOLDS(complaint(with_extents(small, 65536, 1)), "bad image");
  EXPECT_HOLDS(complaint(with_extents(small, 0, 2)), "bad image");
  EXPECT_HOLDS(complaint(with_extents(small, 3, 3)), "bad image");
}

TEST(Jpeg, ReadsGreyAndColourWithinItsOwnRounding) {
  constexpr int kTolerance = 3;  // quality 100: half a quantization step plus colour rounding
  for (const bool is_progressive : {false, true}) {
    const Image grey = decode(jpeg_bytes(16, 8, 1, Bytes(128, 77), is_progressive));
    EXPECT_EQ(grey.shape, (Shape{1, 8, 16}));
    for (const std::uint8_t pixel : grey.pixels) EXPECT_NEAR(pixel, 77, kTolerance);
    Bytes samples;
    for (int i = 0; i < 9 * 5; ++i) samples.insert(samples.end(), {200, 30, 90});
    const Image colour = decode(jpeg_bytes(9, 5, 3, samples, is_progressive));
    EXPECT_EQ(colour.shape, (Shape{3, 5, 9}));
    for (std::size_t i = 0; i < 45; ++i) {
      EXPECT_NEAR(colour.pixels[i], 200, kTolerance);
      EXPECT_NEAR(colour.pixels[45 + i], 30, kTolerance);
      EXPECT_NEAR(colour.pixels[90 + i], 90, kTolerance);
    }
  }
}

TEST(Jpeg, MixesInksOfCmyk) {
  // Adobe: 255 is no ink. Cyan full, magenta none, yellow half, black a fifth: 0, 204, 102.
  Bytes samples;
  for (int i = 0; i < 64; ++i) samples.insert(samples.end(), {0, 255, 128, 204});
  const Image image = decode(jpeg_bytes(8, 8, 4, samples));
  ASSERT_EQ(image.shape, (Shape{3, 8, 8}));
  EXPECT_NEAR(image.pixels[0], 0, 3);
  EXPECT_NEAR(image.pixels[64], 204, 3);
  EXPECT_NEAR(image.pixels[128], 102, 3);
}

TEST(Jpeg, EveryTruncationIsNamed) {
  const std::string whole = jpeg_bytes(24, 16, 3, Bytes(24 * 16 * 3, 90));
  for (std::size_t bytes = 3; bytes + 2 < whole.size(); ++bytes)
    EXPECT_HOLDS(complaint(whole.substr(0, bytes)), "bad image an image (");
}

TEST(Jpeg, AbsurdExtentsAreRefusedBeforeMemoryIsTaken) {
  std::string bytes = jpeg_bytes(8, 8, 1, Bytes(64, 1));
  const std::size_t frame = bytes.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  for (const std::size_t i : {5, 6, 7, 8}) bytes[frame + i] = '\xF0';  // 61,680 pixels per side
  EXPECT_HOLDS(complaint(bytes), "it has 61,680x61,680 pixels");
}

// Any bytes give an image or a DataError; sanitizer builds check memory.
TEST(ImageFile, RandomDamageIsNamedOrLeavesAImage) {
  Bytes colours(24 * 16 * 3);
  RandomStream random(random_key(1, RandomPurpose::kTest));
  for (std::uint8_t& colour : colours) colour = static_cast<std::uint8_t>(random.next_u32());
  const std::string pixels(colours.begin(), colours.begin() + 100);
  for (const std::string& whole :
       {jpeg_bytes(24, 16, 3, colours), jpeg_bytes(24, 16, 3, colours, true), jpeg_bytes(24, 12, 4, colours),
        png_bytes(24, 16, colours, {.colour_type = PNG_COLOR_TYPE_RGB, .interlace = PNG_INTERLACE_ADAM7}),
        "P5 10 10 255\n"s += pixels, "P2 3 3 999\n1 2 3 4 5 6 7 8 9"s}) {
    int images = 0;
    for (int round = 0; round < 300; ++round) {
      std::string bytes = whole;
      // Half of the hits are in the first 600 bytes: headers are sensitive but short.
      for (std::uint64_t hits = 1 + random.below(3); hits > 0; --hits)
        bytes[2 + random.below(random.below(2) == 0 ? bytes.size() - 2
                                                    : std::min<std::size_t>(bytes.size() - 2, 600))] =
            static_cast<char>(random.next_u32());
      try {
        const Image image = decode(bytes);
        EXPECT_EQ(image.pixels.size(), static_cast<std::size_t>(image.shape.size()));
        ++images;
      } catch (const DataError& error) {
        EXPECT_HOLDS(std::string(error.what()), "bad image an image (");
      }
    }
    EXPECT_LT(images, 300);
  }
}

TEST(ImageFile, IsWhatItsFirstBytesSay) {
  EXPECT_HOLDS(complaint(""), "it is empty");
  EXPECT_HOLDS(complaint("RIFF\x04\0\0\0AVI "s),
               "it begins as no PNG, JPEG, WebP, TIFF, GIF, BMP, PGM or PPM");
  const test::ScratchFolder folder;
  test::write_bytes(folder / "a.jpg", png_bytes(2, 1, {1, 2}));
  EXPECT_EQ(read_image_header(folder / "a.jpg").shape, (Shape{1, 1, 2}));
  EXPECT_EQ(read_image(folder / "a.jpg").pixels, (Bytes{1, 2}));
  EXPECT_HOLDS(message_of<IoError>([&] { (void)read_image(folder / "none.png"); }), folder / "none.png");
}

TEST(ImageFile, ShapeIsFoundBehindALongPreview) {
  const test::ScratchFolder folder;
  // A comment segment holds up to 65,533 bytes; two segments put the frame behind the bytes that are read
  // first.
  std::string comment(65537, 'x');
  comment.replace(0, 4, "\xFF\xFE\xFF\xFF");
  std::string bytes = jpeg_bytes(24, 16, 3, Bytes(24 * 16 * 3, 90));
  bytes.insert(2, comment + comment);
  test::write_bytes(folder / "a.jpg", bytes);
  EXPECT_EQ(read_image_header(folder / "a.jpg").shape, (Shape{3, 16, 24}));
  EXPECT_EQ(read_image(folder / "a.jpg").shape, (Shape{3, 16, 24}));
}

TEST(ImageFile, NamesEndInAnyCase) {
  for (const char* name : {"a.png", "a.JPG", "a.Jpeg", "a.jfif", "a.b.pgm", "a.ppm", ".pnm", "a.gif", "a.BMP",
                           "a.webp", "a.tif", "a.TIFF"})
    EXPECT_TRUE(is_image_name(name)) << name;
  for (const char* name : {"png", "a.h5", "a.png.txt", "a.", ""}) EXPECT_FALSE(is_image_name(name)) << name;
}

}  // namespace
}  // namespace convoy::images
