#include "convoy/hdf5/chunk.hpp"

#include <gtest/gtest.h>

#include "convoy/core/random.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

std::vector<std::uint8_t> some_bytes(std::int64_t count, std::uint32_t values) {
  RandomStream random(random_key(1, RandomPurpose::kTest, static_cast<std::uint64_t>(count)));
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next_u32() % values);
  return bytes;
}

// Checks with libhdf5: it reverses the filters and verifies the checksum; written through its own filters,
// the same rows produce the same file.
void expect_as_libhdf5(std::int64_t row_size, std::uint32_t values, const Storage& storage) {
  const test::ScratchFolder folder;
  const std::int64_t rows = 2 * storage.chunk_rows;
  const std::vector<std::uint8_t> bytes = some_bytes(rows * row_size, values);
  File by_chunks = File::create(folder / "chunks.h5", comm::Communicator::self());
  File by_rows = File::create(folder / "rows.h5", comm::Communicator::self());
  for (File* file : {&by_chunks, &by_rows})
    file->create_dataset<std::uint8_t>("/x", {rows, row_size}, storage);
  const auto half = bytes.size() / 2;
  by_chunks.write_chunk("/x", 0, filter_chunk(std::span(bytes).first(half), storage));
  by_chunks.write_chunk("/x", storage.chunk_rows, filter_chunk(std::span(bytes).subspan(half), storage));
  by_rows.write_rows<std::uint8_t>("/x", {0, storage.chunk_rows}, std::span(bytes).first(half));
  by_rows.write_rows<std::uint8_t>("/x", {storage.chunk_rows, rows}, std::span(bytes).subspan(half));
  by_chunks.close();
  by_rows.close();
  EXPECT_EQ(File::open(folder / "chunks.h5").read<std::uint8_t>("/x", {rows, row_size}), bytes);
  EXPECT_EQ(test::read_bytes(folder / "chunks.h5"), test::read_bytes(folder / "rows.h5"));
}

TEST(FilterChunk, IsWhatLibhdf5WouldHaveWritten) {
  for (const std::int64_t row_size : {1, 2, 3, 719, 720, 721, 5000})
    for (const std::uint32_t values : {1, 3, 256})
      for (const int gzip_level : {0, 4}) {
        SCOPED_TRACE(row_size);
        expect_as_libhdf5(row_size, values, {.chunk_rows = 3, .gzip_level = gzip_level, .fletcher32 = true});
      }
}

TEST(FilterChunk, OfFloatsIsWhatLibhdf5WouldHaveWritten) {
  const test::ScratchFolder folder;
  const Storage storage{.chunk_rows = 3, .gzip_level = 4, .fletcher32 = true};
  std::vector<float> values(3 * 50);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25F * static_cast<float>(i * i % 97);
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(values.data()),
                                            values.size() * sizeof(float));
  File by_chunks = File::create(folder / "chunks.h5", comm::Communicator::self());
  File by_rows = File::create(folder / "rows.h5", comm::Communicator::self());
  for (File* file : {&by_chunks, &by_rows}) file->create_dataset<float>("/x", {3, 50}, storage);
  by_chunks.write_chunk("/x", 0, filter_chunk(bytes, storage, sizeof(float)));
  by_rows.write_rows<float>("/x", {0, 3}, values);
  by_chunks.close();
  by_rows.close();
  EXPECT_EQ(test::read_bytes(folder / "chunks.h5"), test::read_bytes(folder / "rows.h5"));
}

TEST(FilterChunk, WithoutFiltersIsTheBytes) {
  const std::vector<std::uint8_t> bytes = some_bytes(100, 256);
  EXPECT_EQ(filter_chunk(bytes, {.chunk_rows = 1}), bytes);
}

}  // namespace
}  // namespace convoy::io
