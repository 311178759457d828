#include "convoy/io/checksum.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using test::message_of;
using test::read_bytes;
using test::write_bytes;

class Sum : public testing::Test {
 protected:
  Sum() {
    std::string bytes(512, '\0');
    for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 7);
    write_bytes(file_, bytes);
    write_checksum(file_);
    whole_ = read_bytes(file_);
  }

  ChecksumState state_with(std::string bytes) {
    write_bytes(file_, bytes);
    return verify_checksum(file_).state;
  }

  test::ScratchFolder folder_;
  std::string file_ = folder_ / "file";
  std::string whole_;
};

TEST_F(Sum, UserBlockIsTheContractsLineAndZeros) {
  const std::string line =
      "convoy-sum 1 xxh128 " + to_hex(hash(std::string_view(whole_).substr(512))) + " 5512\n";
  EXPECT_EQ(whole_.substr(0, 512), line + std::string(512 - line.size(), '\0'));
}

TEST_F(Sum, IsGoodAsWritten) {
  const ChecksumResult check = verify_checksum(file_);
  EXPECT_EQ(check.state, ChecksumState::kGood);
  EXPECT_FALSE(check.damaged());
  EXPECT_EQ(check.digest, hash(std::string_view(whole_).substr(512)));
  EXPECT_EQ(read_checksum(file_).digest, check.digest);
}

TEST_F(Sum, AnyFlippedByteIsDamage) {
  for (std::size_t at = 0; at < whole_.size(); at += at < 512 ? 1 : 97) {
    std::string bytes = whole_;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    write_bytes(file_, bytes);
    EXPECT_TRUE(verify_checksum(file_).damaged()) << "byte " << at;
  }
}

TEST_F(Sum, AnyTruncationIsDamage) {
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{40}})
    EXPECT_EQ(state_with(whole_.substr(0, bytes)), ChecksumState::kMalformed) << bytes;
  for (const std::size_t bytes :
       {std::size_t{60}, std::size_t{511}, std::size_t{512}, std::size_t{1000}, whole_.size() - 1})
    EXPECT_EQ(state_with(whole_.substr(0, bytes)), ChecksumState::kWrongSize) << bytes;
}

TEST_F(Sum, PaddingIsDamage) {
  EXPECT_EQ(state_with(whole_ + '\0'), ChecksumState::kWrongSize);
  EXPECT_HOLDS(verify_checksum(file_).detail, "padded: 5,513 bytes where 5,512 were written");
}

TEST_F(Sum, ReadingTheBlockAloneSeesTheSizeButNotTheBytes) {
  std::string bytes = whole_;
  bytes.back() ^= 1;
  write_bytes(file_, bytes);
  EXPECT_EQ(read_checksum(file_).state, ChecksumState::kGood);
  EXPECT_EQ(verify_checksum(file_).state, ChecksumState::kWrongChecksum);
  write_bytes(file_, whole_.substr(0, 2000));
  EXPECT_EQ(read_checksum(file_).state, ChecksumState::kWrongSize);
}

TEST_F(Sum, IsAbsentInForeignFiles) {
  EXPECT_EQ(state_with(""), ChecksumState::kAbsent);
  EXPECT_EQ(state_with("\x89HDF\r\n\x1a\n" + std::string(2000, 'x')), ChecksumState::kAbsent);
  EXPECT_EQ(verify_checksum(file_).digest, hash(read_bytes(file_)));
}

TEST_F(Sum, NeedsAUserBlockToBeWrittenInto) {
  write_bytes(file_, "short");
  EXPECT_HOLDS(message_of<IoError>([&] { write_checksum(file_); }), "no user block");
}

TEST_F(Sum, AMissingFileIsNamedWithTheSystemsReason) {
  const std::string message = message_of<IoError>([&] { (void)verify_checksum(folder_ / "none"); });
  EXPECT_HOLDS(message, folder_ / "none");
  EXPECT_HOLDS(message, "No such file or directory");
}

}  // namespace
}  // namespace convoy::io
