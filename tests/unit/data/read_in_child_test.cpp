// Damaged files without checksum that crash libhdf5 1.10.8.

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/describe.hpp"
#include "convoy/hdf5/file.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;
using test::message_of;

// Writes 140 images of 8x10x3, seven per chunk, at /x, and their labels at /y.
void write_images(const std::string& path) {
  constexpr std::int64_t kSamples = 140;
  io::File file = io::File::create(path, Communicator::self());
  file.write<std::uint8_t>("/x", {kSamples, 8, 10, 3}, std::vector<std::uint8_t>(kSamples * 240, 7),
                           {.chunk_rows = 7, .gzip_level = 4});
  file.write<std::int64_t>("/y", {kSamples}, std::vector<std::int64_t>(kSamples, 1));
  file.close();
}

TEST(DamagedFileOfOthers, WithLargerChunksThanItsBytesIsNamedAndKillsNobody) {
  const test::ScratchFolder folder;
  const std::string path = folder / "other.h5";
  write_images(path);
  const Options options{
      .file = path, .train = {.images = "/x", .labels = "/y"}, .axes = Axes::kNhwc, .classes = 2};
  EXPECT_EQ(Dataset(options, Communicator::self(), {"train"}).split("train")->samples(), 140);

  // Layout message: version, class, dimensions, address, then the chunk's extents, 32 bits each. Setting the
  // third to 32,771 makes libhdf5 read far beyond its buffer.
  std::string bytes = test::read_bytes(path);
  const std::size_t layout = bytes.find("\x03\x02\x05");
  ASSERT_NE(layout, std::string::npos);
  const std::size_t extent = layout + 3 + 8 + 3 * 4;
  ASSERT_EQ(bytes.substr(extent, 4), std::string("\x03\0\0\0", 4));
  bytes[extent + 1] = '\x80';
  test::write_bytes(path, bytes);
  EXPECT_HOLDS(message_of<DataError>([&] { Dataset(options, Communicator::self(), {"train"}); }), path);
}

TEST(DamagedFileOfOthers, ThatPromisesMoreThanItHoldsTakesNoMemory) {
  const test::ScratchFolder folder;
  const std::string path = folder / "other.h5";
  write_images(path);
  // Shape message: version, dimensions, flags, five reserved bytes, then the extents, 64 bits each.
  std::string bytes = test::read_bytes(path);
  const std::size_t shape = bytes.find(std::string("\x01\x01\x01\0\0\0\0\0\x8c", 9));
  ASSERT_NE(shape, std::string::npos);
  bytes[shape + 8 + 6] = '\x20';  // labels: 2^53 elements
  test::write_bytes(path, bytes);
  const auto read_labels = [&] {
    const io::File file = io::File::open(path);
    const io::DatasetInfo info = file.info("/y");  // libhdf5 1.14 refuses it here
    EXPECT_TRUE(info.promises_too_much());
    (void)file.read<std::int64_t>("/y", info.dims);
  };
  EXPECT_THROW(read_labels(), DataError);
}

}  // namespace
}  // namespace convoy::data
