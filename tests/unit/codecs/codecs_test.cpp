// Streams worked out by hand, and one of bzip2. What the compressors' own libraries write is tested
// in tests/integration/hdf5_filters.py.

#include "convoy/codecs/codecs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace convoy::io {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

/// `decoder` turns `packed` into `whole`, and notices if the input ends early or the size is another.
void expect_decodes(Decoder decoder, Settings settings, const std::vector<std::byte>& packed,
                    const std::vector<std::byte>& whole) {
  std::vector<std::byte> out(whole.size());
  EXPECT_TRUE(decoder(packed, settings, out));
  EXPECT_EQ(out, whole);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const std::vector<std::byte> cut(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decoder(cut, settings, out)) << size;
  }
  for (std::size_t size = 0; size < 2 * whole.size() + 100; ++size) {
    if (size == whole.size()) continue;
    std::vector<std::byte> other(size);
    EXPECT_FALSE(decoder(packed, settings, other)) << size;
  }
}

TEST(Lzf, PlainBytesAndRepetitionsNearAndFarShortAndLong) {
  // "abc", then 6 bytes from 3 before, then 20 bytes from 1 before.
  const auto packed = bytes_of({2, 'a', 'b', 'c', 4 << 5, 2, 7 << 5, 11, 0});
  std::vector<std::byte> whole = bytes_of({'a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c'});
  whole.insert(whole.end(), 20, std::byte{'c'});
  expect_decodes(decode_lzf, {}, packed, whole);
}

TEST(Lzf, RepetitionsOfWhatIsBeforeTheBeginningAreDamage) {
  std::vector<std::byte> out(4);
  EXPECT_FALSE(decode_lzf(bytes_of({0, 'a', 1 << 5, 1}), {}, out));
  EXPECT_TRUE(decode_lzf(bytes_of({0, 'a', 1 << 5, 0}), {}, out));
}

TEST(Lzf, TheSizeStandsInTheThirdSetting) {
  const std::vector<unsigned> settings{4, 0x105, 600};
  EXPECT_EQ(lzf_size({}, settings), 600);
  EXPECT_EQ(lzf_size({}, Settings(settings).first(2)), std::nullopt);
}

TEST(Bitshuffle, BitsOfEightElementsAndThoseThatAreLeftOver) {
  const std::vector<unsigned> settings{0, 4, 1, 8, 0};
  expect_decodes(decode_bitshuffle, settings, bytes_of({0xAA, 0xCC, 0xF0, 0, 0, 0, 0, 0x80, 9, 10}),
                 bytes_of({0, 1, 2, 3, 4, 5, 6, 0x87, 9, 10}));
}

TEST(Bitshuffle, SettingsThatAreNoneOfItsAreRefused) {
  std::vector<std::byte> out(16);
  const std::vector<std::byte> packed(16);
  EXPECT_TRUE(decode_bitshuffle(packed, std::vector<unsigned>{0, 4, 2}, out));
  for (const std::vector<unsigned>& settings : {std::vector<unsigned>{},
                                                {0, 4},
                                                {0, 4, 0},
                                                {0, 4, 3},
                                                {0, 4, 1, 7},
                                                {0, 4, 1, 8, 1},
                                                {0, 4, 1, 8, 9}})
    EXPECT_FALSE(decode_bitshuffle(packed, settings, out)) << settings.size();
}

TEST(Lz4, BlocksThatAreAsLargeAsDecodedArePlain) {
  if (!has_lz4()) GTEST_SKIP() << "built without liblz4";
  // Five bytes in blocks of three: plain, plain.
  expect_decodes(kDecodeLz4, {}, bytes_of({0, 0, 0, 0,   0,   0,   0, 5, 0, 0, 0,   3,  0,
                                           0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 2, 'd', 'e'}),
                 bytes_of({'a', 'b', 'c', 'd', 'e'}));
  // One block: a plain byte, 9 more of it, and the last five plain, as lz4 requires.
  expect_decodes(kDecodeLz4, {}, bytes_of({0, 0, 0,  0,    0,   0, 0, 15,   0,   0,   0,   64,  0,
                                           0, 0, 10, 0x15, 'a', 1, 0, 0x50, 'b', 'c', 'd', 'e', 'f'}),
                 bytes_of({'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'b', 'c', 'd', 'e', 'f'}));
}

TEST(Lz4, BlocksOfNoSizeAreDamage) {
  if (!has_lz4()) GTEST_SKIP() << "built without liblz4";
  std::vector<std::byte> out(5);
  EXPECT_FALSE(kDecodeLz4(bytes_of({0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0}), {}, out));
}

/// The bytes of `text`, `times` times.
std::vector<std::byte> repeated(const std::string& text, int times) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < times; ++i)
    for (const char each : text) bytes.push_back(static_cast<std::byte>(each));
  return bytes;
}

std::vector<std::byte> joined(std::vector<std::byte> first, const std::vector<std::byte>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Of 20 times "abc".
std::vector<std::byte> bzip2_stream() {
  return bytes_of({0x42, 0x5a, 0x68, 0x31, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xc9, 0xc7, 0xf5, 0xbf,
                   0x00, 0x00, 0x09, 0x81, 0x00, 0x38, 0x00, 0x20, 0x00, 0x30, 0xcc, 0x05, 0x29, 0xa6,
                   0x27, 0x13, 0x13, 0xc5, 0xdc, 0x91, 0x4e, 0x14, 0x24, 0x32, 0x71, 0xfd, 0x6f, 0xc0});
}

TEST(Bzip2, StreamsEndWhereTheChunkDoes) {
  if (kDecodeBzip2 == nullptr) GTEST_SKIP() << "built without libbz2";
  expect_decodes(kDecodeBzip2, {}, bzip2_stream(), repeated("abc", 20));
  // A long run at the end: "abc", then 40 times "z".
  expect_decodes(
      kDecodeBzip2, {},
      bytes_of({0x42, 0x5a, 0x68, 0x31, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xf1, 0xee, 0xda, 0xd5, 0x00,
                0x00, 0x00, 0x91, 0x80, 0x04, 0x00, 0x38, 0x00, 0x00, 0x10, 0x20, 0x00, 0x30, 0xcd, 0x00,
                0xc3, 0x46, 0x94, 0x1e, 0xe2, 0xee, 0x48, 0xa7, 0x0a, 0x12, 0x1e, 0x3d, 0xdb, 0x5a, 0xa0}),
      joined(repeated("abc", 1), repeated("z", 40)));
  std::vector<std::byte> out(60);
  EXPECT_FALSE(kDecodeBzip2(joined(bzip2_stream(), bytes_of({0})), {}, out)) << "a byte after the stream";
}

TEST(Bzip2, EveryChangedByteIsDamage) {
  if (kDecodeBzip2 == nullptr) GTEST_SKIP() << "built without libbz2";
  constexpr std::size_t kBlockSize = 3;  // a larger block than the stream needs is no damage
  std::vector<std::byte> out(60);
  for (std::size_t at = 0; at < bzip2_stream().size(); ++at) {
    if (at == kBlockSize) continue;
    auto packed = bzip2_stream();
    packed[at] ^= std::byte{0xFF};
    EXPECT_FALSE(kDecodeBzip2(packed, {}, out)) << at;
  }
}

}  // namespace
}  // namespace convoy::io
