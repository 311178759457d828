// Third-party files, and data sets of several files. Types that io::File does not write are tested with h5py
// (tests/integration/any_hdf5.py).

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/samples/layout.hpp"
#include "data/images.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;

/// Writes images 2x2x3 (c, h, w) at /x, channels last; pixel (n, c, y, x) is 100n + 10c + 3y + x; targets (n,
/// −n) at /t.
void write_channels_last(const std::string& path, std::int64_t first, std::int64_t samples) {
  std::vector<std::uint8_t> pixels;
  std::vector<double> targets;
  for (std::int64_t n = first; n < first + samples; ++n) {
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t c = 0; c < 2; ++c) pixels.push_back(static_cast<std::uint8_t>(100 * n + 10 * c + i));
    targets.push_back(static_cast<double>(n));
    targets.push_back(static_cast<double>(-n));
  }
  io::File file = io::File::create(path, Communicator::self());
  file.create_dataset<std::uint8_t>("/x", {samples, 2, 3, 2}, {.chunk_rows = 1});
  file.write_rows<std::uint8_t>("/x", {0, samples}, pixels);
  file.write<double>("/t", {samples, 2}, targets);
  file.close();
}

TEST(FilesOf, AreSortedByBytesWhateverTheLocale) {
  const test::ScratchFolder folder;
  for (const char* name : {"b.h5", "B.h5", "a10.h5", "a2.h5", "other"})
    write_channels_last(folder / name, 0, 1);
  EXPECT_EQ(files_of(folder / "*.h5"), (std::vector<std::string>{folder / "B.h5", folder / "a10.h5",
                                                                 folder / "a2.h5", folder / "b.h5"}));
  EXPECT_EQ(files_of(folder / "other"), std::vector<std::string>{folder / "other"});
  EXPECT_THROW((void)files_of(folder / "*.none"), ConfigError);
  EXPECT_THROW((void)files_of(folder / "none"), ConfigError);
}

TEST(FilesOf, TakesAPatternThatIsAFilesNameLiterally) {
  const test::ScratchFolder folder;
  write_channels_last(folder / "a[1].h5", 0, 1);
  write_channels_last(folder / "a1.h5", 0, 1);
  EXPECT_EQ(files_of(folder / "a[1].h5"), std::vector<std::string>{folder / "a[1].h5"});
}

TEST(SeveralFiles, FollowEachOtherWithTheirChannelsFirst) {
  const test::ScratchFolder folder;
  write_channels_last(folder / "1.h5", 0, 1);
  write_channels_last(folder / "2.h5", 1, 1);
  const Dataset data({.file = folder / "*.h5",
                      .train = {.images = "/x", .targets = "/t"},
                      .axes = Axes::kNhwc,
                      .normalize = Normalize::kNone},
                     Communicator::self(), {"train"});
  EXPECT_EQ(data.shape(), (Shape{2, 2, 3}));
  EXPECT_TRUE(data.has_targets());
  EXPECT_EQ(data.classes(), 2);
  const Split& split = *data.split("train");
  ASSERT_EQ(split.samples(), 2);
  EXPECT_TRUE(split.labels().empty());
  EXPECT_EQ(std::vector<float>(split.targets().begin(), split.targets().end()),
            (std::vector<float>{0, -0.0F, 1, -1}));
  std::vector<float> block(static_cast<std::size_t>(12 * kLanes));
  const std::vector<std::int64_t> samples{0, 1};
  InputTransform transform = data.transform(Normalize::kNone);
  transform.scale = 1;
  split.load(samples, transform, block.data());
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 2; ++c)
      for (std::int64_t i = 0; i < 6; ++i)
        EXPECT_EQ(block[static_cast<std::size_t>((c * 6 + i) * kLanes + n)],
                  static_cast<float>(100 * n + 10 * c + i));
}

TEST(SeveralFiles, AreSharedOutInWholeChunks) {
  SplitLayout split;
  split.samples = 12;
  split.pieces = {{"a", "/x", {0, 7}, 3}, {"b", "/x", {7, 12}, 2}};
  // Chunks begin at 0, 3, 6 | 7, 9, 11.
  EXPECT_EQ(share_of_rows(split, 2, 0), (Range{0, 7}));
  EXPECT_EQ(share_of_rows(split, 2, 1), (Range{7, 12}));
  EXPECT_EQ(share_of_rows(split, 3, 1), (Range{6, 9}));
  EXPECT_EQ(share_of_rows(split, 8, 7).size(), 0);
}

TEST(SeveralFiles, OfDifferentShapesAreRefused) {
  const test::ScratchFolder folder;
  write_channels_last(folder / "1.h5", 0, 1);
  io::File file = io::File::create(folder / "2.h5", Communicator::self());
  file.write<std::uint8_t>("/x", {1, 3, 3, 2}, std::vector<std::uint8_t>(18));
  file.write<double>("/t", {1, 2}, std::vector<double>(2));
  file.close();
  EXPECT_EQ(test::message_of<DataError>([&] {
              (void)read_layout(
                  {.file = folder / "*.h5", .train = {.images = "/x", .targets = "/t"}, .axes = Axes::kNhwc});
            }),
            "shapes differ in data set " + (folder / "2.h5") +
                " (/x holds images of 2x3x3); those before it are 2x2x3");
}

}  // namespace
}  // namespace convoy::data
