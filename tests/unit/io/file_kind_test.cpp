#include "convoy/io/file_kind.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string_view>

#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using namespace std::string_view_literals;

class KindOfFile : public testing::Test {
 protected:
  [[nodiscard]] std::string of(std::string_view bytes, const std::string& name = "file") const {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return kind_of_file(path);
  }
  void expect(std::string_view bytes, const std::string& words, const std::string& name = "file") const {
    const std::string kind = of(bytes, name);
    EXPECT_NE(kind.find(words), std::string::npos) << kind;
  }

  test::ScratchFolder folder_;
};

TEST_F(KindOfFile, IsSaidWithWhatReadsIt) {
  expect("", "it is empty");
  expect("\x1f\x8b\x08"sv, "gunzip it first");
  expect("\x1f\x8b\x08"sv, "tar -xzf", "cifar-10.tar.gz");
  expect("\x1f\x8b\x08"sv, "import idx", "train-images-idx3-ubyte.gz");
  expect("RIFF\x10\0\0\0WEBPVP8 "sv, "a WebP image");
  expect("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0"sv, "a BMP image");
  expect("\0\0\x08\x03\0\0\0\x0a\0\0\0\x1c\0\0\0\x1c"sv, "an IDX file");
  expect("\x80\x04\x95\0\0"sv, "a Python pickle");
  expect("PAR1\x15"sv, "a Parquet file");
  expect("a.png,3\nb.png,1\n", "import folder --labels");
  expect("<!DOCTYPE html><html>", "an HTML page");
}

TEST_F(KindOfFile, WholeRecordsOfCifarMayBeCifar) {
  constexpr std::size_t kRecord = 3073;
  expect(std::string(200 * kRecord, '\x05'), "import cifar10");
  EXPECT_EQ(of(std::string(200 * kRecord + 1, '\x05')), "");
  EXPECT_EQ(of(std::string(200 * kRecord, '\x0b')), "");  // labels of 11
}

TEST_F(KindOfFile, IsEmptyForHdf5AndUnknownContent) {
  EXPECT_EQ(of("\x89HDF\r\n\x1a\n"sv), "");
  EXPECT_EQ(of("\x01\x02\x03"sv), "");
  EXPECT_EQ(of(std::string(600, '\0')), "");
}

}  // namespace
}  // namespace convoy::io
