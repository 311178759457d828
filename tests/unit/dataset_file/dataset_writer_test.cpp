#include "convoy/dataset_file/dataset_writer.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "unit/data/dataset_fixture.hpp"

namespace convoy::importers {
namespace {

using test::message_of;

TEST(DatasetWriter, WritesTheContractsFile) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "a.h5");
  EXPECT_EQ(io::verify_checksum(folder / "a.h5").state, io::ChecksumState::kGood);
  const io::File file = io::File::open(folder / "a.h5");
  EXPECT_EQ(file.attribute<std::string>("/", "format"), "convoy-dataset");
  EXPECT_EQ(file.attribute<std::int64_t>("/", "format_version"), 1);
  EXPECT_EQ(file.attribute<std::string>("/", "source"), "a test");
  const io::DatasetInfo images = file.info("/train/images");
  EXPECT_EQ(images.type, io::ElementType::kUint8);
  EXPECT_EQ(images.dims, (Dims{37, 2, 3, 4}));
  EXPECT_EQ(images.chunk, (Dims{16, 2, 3, 4}));
  EXPECT_EQ(file.info("/test/labels").type, io::ElementType::kInt64);
  EXPECT_EQ(file.info("/test/labels").chunk, Dims{5});
  EXPECT_EQ(file.attribute<std::vector<double>>("/train/images", "mean"),
            file.attribute<std::vector<double>>("/test/images", "mean"));
}

TEST(DatasetWriter, WritesFloatsWithTheirMoments) {
  const test::ScratchFolder folder;
  DatasetWriter writer(
      folder / "a.h5",
      {.shape = {1, 1, 2}, .source = "a test", .class_names = {"ant", "bee"}, .pixels = Pixels::kFloats});
  writer.begin_split("train", 3);
  const std::vector<float> images{0.5F, -1, 2.5F, 3, 0, 1};
  writer.append(images, std::vector<std::int64_t>{0, 1, 0});
  writer.begin_split("test", 1);
  writer.append(std::span(images).first(2), std::vector<std::int64_t>{1});
  writer.finish();
  const io::File file = io::File::open(folder / "a.h5");
  EXPECT_EQ(file.info("/train/images").type, io::ElementType::kFloat32);
  EXPECT_EQ(file.read<float>("/train/images", {3, 1, 1, 2}), images);
  // Of the training split alone: 6/6, and (0.25 + 4 + 2.25 + 4 + 1 + 0)/6.
  EXPECT_EQ(file.attribute<std::vector<double>>("/test/images", "mean"), std::vector<double>{1});
  EXPECT_NEAR(file.attribute<std::vector<double>>("/test/images", "std").front(), std::sqrt(11.5 / 6), 1e-15);
}

TEST(DatasetWriter, WritesWhatH5pyReads) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "a.h5");
  const int status =
      std::system(("'" CONVOY_PYTHON "' '" CONVOY_H5PY_SCRIPT "' '" + (folder / "a.h5") + "'").c_str());
  constexpr int kNoH5py = 77;
  constexpr int kNoPython = 127;
  const int exit_code = WEXITSTATUS(status);
  if (exit_code == kNoH5py || exit_code == kNoPython) GTEST_SKIP() << "no python3 with h5py here";
  EXPECT_EQ(status, 0);
}

TEST(DatasetWriter, GivesTheSameBytesForTheSameSamples) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "a.h5");
  test::write_small_dataset(folder / "b.h5");
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), test::read_bytes(folder / "b.h5"));
}

TEST(DatasetWriter, TakesChunksThatOthersFinished) {
  const test::ScratchFolder folder;
  test::write_small_dataset(folder / "a.h5");
  DatasetWriter writer(
      folder / "b.h5",
      {.shape = test::kSmallShape, .source = "a test", .class_names = {"ant", "bee", "cicada"}});
  for (const auto& [name, samples] : {std::pair{"train", test::kSmallTrain}, {"test", test::kSmallTest}}) {
    writer.begin_split(name, samples);
    const std::int64_t a_chunk = samples_per_chunk(test::kSmallShape, samples);
    for (std::int64_t first = 0; first < samples; first += a_chunk) {
      const std::int64_t count = std::min(a_chunk, samples - first);
      std::vector<std::uint8_t> images;
      std::vector<std::int64_t> labels;
      for (std::int64_t i = first; i < first + count; ++i) labels.push_back(i % 3);
      for (std::int64_t i = first * 24; i < (first + count) * 24; ++i) images.push_back(test::small_pixel(i));
      const FinishedChunk chunk = finish_chunk(test::kSmallShape, samples, images);
      EXPECT_THROW(writer.append(chunk, {}), std::logic_error) << "no whole chunk";
      writer.append(chunk, labels);
    }
  }
  writer.finish();
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), test::read_bytes(folder / "b.h5"));
}

TEST(DatasetWriter, LeavesNothingUnlessFinished) {
  const test::ScratchFolder folder;
  {
    DatasetWriter writer(folder / "a.h5", {.shape = {1, 2, 2}, .source = "", .class_names = {"a"}});
    writer.begin_split("train", 2);
    writer.append(std::vector<std::uint8_t>(4), std::vector<std::int64_t>{0});
    EXPECT_THROW(writer.finish(), std::logic_error) << "one sample is missing";
  }
  EXPECT_EQ(folder.entries(), 0);
}

TEST(DatasetWriter, NamesAnOutputThatCannotBe) {
  const test::ScratchFolder folder;
  const auto make = [](const std::string& target) {
    return [target] {
      const DatasetWriter writer(target, {.shape = {1, 1, 1}, .source = "", .class_names = {}});
    };
  };
  EXPECT_HOLDS(message_of<IoError>(make(folder / "none/a.h5")), folder / "none");
  EXPECT_HOLDS(message_of<IoError>(make(folder.path())), "Is a directory");
}

}  // namespace
}  // namespace convoy::importers
