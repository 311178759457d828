// Other filters and orders of them are tested with h5py (tests/integration/any_hdf5.py and field.py).

#include "convoy/hdf5/chunk_reader.hpp"

#include <gtest/gtest.h>

#include "convoy/comm/communicator.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kRowsPerChunk = 3;
constexpr std::int64_t kRowSize = 20;

class Chunks : public testing::Test {
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
  std::vector<T> read() {
    const File file = File::open(path_);
    const auto reader = ChunkReader::open(file, "/x", kElementType<T>);
    std::vector<T> values;
    if (!reader) return values;
    EXPECT_EQ(reader->rows_per_chunk(), kRowsPerChunk);
    for (std::int64_t chunk = 0; chunk * kRowsPerChunk < kRows; ++chunk) {
      std::vector<T> rows(kRowsPerChunk * kRowSize);
      const auto stored = reader->read(chunk);
      EXPECT_TRUE(stored && reader->decode(*stored, std::as_writable_bytes(std::span(rows))));
      values.insert(values.end(), rows.begin(), rows.end());
    }
    values.resize(kRows * kRowSize);
    return values;
  }

  const test::ScratchFolder folder_;
  const std::string path_ = folder_ / "a.h5";
};

TEST_F(Chunks, OfEveryKindOfStorageAreDecoded) {
  for (const int gzip : {0, 1, 9}) {
    for (const bool has_sum : {false, true}) {
      const Storage storage{.chunk_rows = kRowsPerChunk, .gzip_level = gzip, .fletcher32 = has_sum};
      const std::vector<std::uint8_t> bytes = write<std::uint8_t>(storage);
      EXPECT_EQ(read<std::uint8_t>(), bytes);
      const std::vector<float> floats = write<float>(storage);
      EXPECT_EQ(read<float>(), floats);
    }
  }
}

TEST_F(Chunks, ContiguousDataAndOtherTypesAreLeftToTheFile) {
  (void)write<float>({});
  EXPECT_FALSE(ChunkReader::open(File::open(path_), "/x", ElementType::kFloat32));
  (void)write<double>({.chunk_rows = kRowsPerChunk});
  EXPECT_FALSE(ChunkReader::open(File::open(path_), "/x", ElementType::kFloat32));
}

TEST_F(Chunks, DamageIsNoticed) {
  (void)write<std::uint8_t>({.chunk_rows = kRowsPerChunk, .gzip_level = 6, .fletcher32 = true});
  const File file = File::open(path_);
  const auto reader = ChunkReader::open(file, "/x", ElementType::kUint8);
  const auto stored = reader.value().read(1);
  ASSERT_TRUE(stored);
  std::vector<std::byte> rows(kRowsPerChunk * kRowSize);
  EXPECT_TRUE(reader->decode(*stored, rows));
  for (std::size_t i = 0; i < stored->size; ++i) {
    stored->bytes[i] ^= std::byte{4};
    EXPECT_FALSE(reader->decode(*stored, rows)) << i;
    stored->bytes[i] ^= std::byte{4};
  }
}

}  // namespace
}  // namespace convoy::io
