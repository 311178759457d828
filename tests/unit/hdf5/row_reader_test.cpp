// Filters that Convoy does not write, and other shapes of chunks, are tested with h5py
// (tests/integration/hdf5_filters.py, any_hdf5.py and field.py).

#include "convoy/hdf5/row_reader.hpp"

#include <gtest/gtest.h>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/hdf5/chunk.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kRowsPerChunk = 3;
constexpr std::int64_t kRowSize = 20;

class Rows : public testing::Test {
 protected:
  template <class T>
  std::vector<T> write(const Storage& storage) {
    std::vector<T> values(kRows * kRowSize);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i * i % 251);
    File file = File::create(path_, comm::Communicator::self());
    file.create_dataset<T>("/x", {kRows, 4, 5}, storage);
    file.write_rows<T>("/x", {0, kRows}, std::span<const T>(values));
    file.close();
    return values;
  }
  template <class T>
  std::vector<T> read(const Range& rows, int threads) {
    const File file = File::open(path_);
    const auto reader = RowReader::open(file, "/x", kElementType<T>);
    std::vector<T> values(static_cast<std::size_t>(rows.size() * kRowSize));
    if (reader)
      reader->read(rows, std::as_writable_bytes(std::span(values)), threads);
    else
      ADD_FAILURE() << "no reader";
    return values;
  }
  template <class T>
  void expect_every_range(const Storage& storage) {
    const std::vector<T> all = write<T>(storage);
    for (std::int64_t begin = 0; begin < kRows; ++begin)
      for (std::int64_t end = begin; end <= kRows; ++end)
        for (const int threads : {1, 3})
          EXPECT_EQ(read<T>({begin, end}, threads),
                    std::vector<T>(all.begin() + begin * kRowSize, all.begin() + end * kRowSize))
              << begin << ' ' << end;
  }
  std::string error_of_reading() {
    try {
      (void)read<std::uint8_t>({0, kRows}, 2);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }

  const test::ScratchFolder folder_;
  const std::string path_ = folder_ / "a.h5";
};

TEST_F(Rows, OfEveryKindOfStorageAreRead) {
  for (const std::int64_t chunk_rows : {std::int64_t{0}, kRowsPerChunk})
    for (const int gzip : {0, 1, 9}) {
      for (const bool has_sum : {false, true}) {
        const Storage storage{.chunk_rows = chunk_rows, .gzip_level = gzip, .fletcher32 = has_sum};
        expect_every_range<std::uint8_t>(storage);
        expect_every_range<float>(storage);
      }
    }
}

TEST_F(Rows, OfOtherTypesAreLeftToTheFile) {
  (void)write<double>({.chunk_rows = kRowsPerChunk});
  EXPECT_FALSE(RowReader::open(File::open(path_), "/x", ElementType::kFloat32));
  (void)write<double>({});
  EXPECT_FALSE(RowReader::open(File::open(path_), "/x", ElementType::kFloat32));
}

TEST_F(Rows, OfChunksNeverWrittenAreTheFillValue) {
  const Storage storage{.chunk_rows = kRowsPerChunk, .gzip_level = 6};
  File file = File::create(path_, comm::Communicator::self());
  file.create_dataset<std::uint8_t>("/x", {kRows, 4, 5}, storage);
  const std::vector<std::uint8_t> ones(kRowsPerChunk * kRowSize, 1);
  file.write_rows<std::uint8_t>("/x", {kRowsPerChunk, 2 * kRowsPerChunk}, ones);
  file.close();
  std::vector<std::uint8_t> expected(kRows * kRowSize);
  std::fill_n(expected.begin() + kRowsPerChunk * kRowSize, ones.size(), std::uint8_t{1});
  EXPECT_EQ((read<std::uint8_t>({0, kRows}, 2)), expected);
}

TEST_F(Rows, OfDamagedChunksAreNamedByChunk) {
  const Storage storage{.chunk_rows = kRowsPerChunk, .gzip_level = 6, .fletcher32 = true};
  const std::vector<std::uint8_t> values(kRowsPerChunk * kRowSize, 7);
  const std::vector<std::uint8_t> sound = filter_chunk(values, storage);
  for (std::size_t i = 0; i <= sound.size(); ++i) {
    std::vector<std::uint8_t> damaged = sound;
    if (i < sound.size())
      damaged[i] ^= 4;
    else
      damaged.resize(3);  // less than a checksum
    File file = File::create(path_, comm::Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kRows, 4, 5}, storage);
    file.write_rows<std::uint8_t>("/x", {0, kRows}, std::vector<std::uint8_t>(kRows * kRowSize, 7));
    file.write_chunk("/x", kRowsPerChunk, damaged);
    file.close();
    EXPECT_NE(error_of_reading().find("damaged chunk in " + path_ +
                                      ", object /x (the one that begins at element [3x0x0]: its "
                                      "Fletcher-32 checksum does not match)"),
              std::string::npos)
        << i << error_of_reading();
  }
}

TEST_F(Rows, OfDamagedGzipAreNamedByChunk) {
  const Storage storage{.chunk_rows = kRowsPerChunk, .gzip_level = 6};
  const std::vector<std::uint8_t> sound =
      filter_chunk(std::vector<std::uint8_t>(kRowsPerChunk * kRowSize, 7), storage);
  const auto with_second_chunk = [&](const std::vector<std::uint8_t>& chunk) {
    File file = File::create(path_, comm::Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kRows, 4, 5}, storage);
    file.write_chunk("/x", 0, sound);
    file.write_chunk("/x", kRowsPerChunk, chunk);
    file.write_chunk("/x", 2 * kRowsPerChunk, sound);
    file.close();
    return error_of_reading();
  };
  EXPECT_EQ(with_second_chunk(sound), "");
  std::vector<std::uint8_t> damaged = sound;
  damaged.back() ^= 1;  // Adler-32
  const std::string expected = "[3x0x0]: its gzip data are damaged)";
  EXPECT_NE(with_second_chunk(damaged).find(expected), std::string::npos);
  damaged.resize(sound.size() / 2);
  EXPECT_NE(with_second_chunk(damaged).find(expected), std::string::npos);
  // Sound, but of another size than a chunk.
  for (const std::int64_t size : {1, 59, 61, 600})
    EXPECT_NE(
        with_second_chunk(filter_chunk(std::vector<std::uint8_t>(static_cast<std::size_t>(size), 7), storage))
            .find(expected),
        std::string::npos)
        << size;
}

}  // namespace
}  // namespace convoy::io
