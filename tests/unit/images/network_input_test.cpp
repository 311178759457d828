// Tests how image files become a network's input.

#include "convoy/images/network_input.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "convoy/core/error.hpp"
#include "convoy/images/image_file.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::images {
namespace {

using test::message_of;
using Paths = std::vector<std::string>;

class NetworkInput : public testing::Test {
 protected:
  NetworkInput() {
    std::filesystem::create_directories(folder_ / "b");
    test::write_bytes(folder_ / "grey.pgm", "P2 2 1 255 7 9");
    test::write_bytes(folder_ / "b/colour.ppm", "P3 2 1 255 10 20 30 40 50 60");
    test::write_bytes(folder_ / "wide.pgm", "P2 4 1 255 0 10 20 30");
    test::write_bytes(folder_ / ".hidden.pgm", "P2 1 1 255 0");
    test::write_bytes(folder_ / "notes.txt", "not an image");
  }
  test::ScratchFolder folder_;
};

TEST_F(NetworkInput, IsTheImagesOneAfterTheOther) {
  const Paths paths{folder_ / "grey.pgm", folder_ / "grey.pgm"};
  for (const int threads : {1, 3})
    EXPECT_EQ(read_for_network(paths, {1, 1, 2}, std::nullopt, threads),
              (std::vector<std::uint8_t>{7, 9, 7, 9}));
}

TEST_F(NetworkInput, IsFittedOnlyIfAskedTo) {
  const Paths paths{folder_ / "grey.pgm", folder_ / "b/colour.ppm", folder_ / "wide.pgm"};
  EXPECT_HOLDS(message_of<DataError>([&] {
                 (void)read_for_network(paths, {1, 1, 2}, std::nullopt, 2);
               }),
               "b/colour.ppm is 3x1x2, the network takes 1x1x2; --fit");
  const std::vector<std::uint8_t> pixels = read_for_network(paths, {3, 1, 2}, Fit::kCrop, 2);
  EXPECT_EQ(std::vector<std::uint8_t>(pixels.begin(), pixels.begin() + 12),
            (std::vector<std::uint8_t>{7, 9, 7, 9, 7, 9, 10, 40, 20, 50, 30, 60}));
  EXPECT_EQ(pixels[12], 10) << "the two pixels in the middle of four";
  EXPECT_EQ(pixels[13], 20);
}

TEST_F(NetworkInput, TheFirstBadFileIsNamed) {
  test::write_bytes(folder_ / "cut.pgm", "P2 2 1 255 7");
  const Paths paths{folder_ / "grey.pgm", folder_ / "cut.pgm", folder_ / "nowhere.pgm"};
  EXPECT_HOLDS(message_of<DataError>([&] {
                 (void)read_for_network(paths, {1, 1, 2}, std::nullopt, 3);
               }),
               "bad image " + (folder_ / "cut.pgm"));
}

TEST_F(NetworkInput, ImagesBelowAFolderAreSortedByTheirPaths) {
  EXPECT_EQ(images_below(folder_.path()),
            (Paths{folder_ / "b/colour.ppm", folder_ / "grey.pgm", folder_ / "wide.pgm"}));
  EXPECT_THROW((void)images_below(folder_ / "nowhere"), IoError);
}

}  // namespace
}  // namespace convoy::images
