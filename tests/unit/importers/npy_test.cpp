// import npz on .npy files made by hand; tests/integration/import_arrays.py has archives, made by numpy.

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/importers/import.hpp"
#include "unit/importers/source_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::importers {
namespace {

using test::made_split;
using test::message_of;
using test::write_bytes;
using namespace std::string_literals;

std::string npy(const std::string& type, const std::string& shape, const std::string& numbers,
                bool is_fortran = false) {
  const std::string text = "{'descr': '" + type + "', 'fortran_order': " + (is_fortran ? "True" : "False") +
                           ", 'shape': (" + shape + "), }\n";
  return "\x93NUMPY\x01\0"s + static_cast<char>(text.size()) + '\0' + text + numbers;
}

class Npy : public testing::Test {
 protected:
  Npy() { write_bytes(options_.train.labels, npy("|u1", "2,", "\1\0"s)); }
  void write_images(const std::string& bytes) { write_bytes(options_.train.images, bytes); }
  std::vector<float> made() {
    (void)import_npz(options_);
    return made_split(options_.out, "train").images;
  }
  std::string complaint() {
    return message_of<DataError>([&] { (void)import_npz(options_); });
  }

  test::ScratchFolder folder_;
  NpzOptions options_{.file = {}, .out = folder_ / "o.h5", .train = {folder_ / "x.npy", folder_ / "y.npy"}};
};

TEST_F(Npy, OrdersAreThoseOfTheHeader) {
  const std::vector<float> expected{0, 1, 2, 3, 4, 5, 6, 7};
  write_images(npy("|u1", "2, 2, 2", "\0\1\2\3\4\5\6\7"s));
  EXPECT_EQ(made(), expected);
  write_images(npy("|u1", "2, 2, 2", "\0\4\2\6\1\5\3\7"s, true));
  EXPECT_EQ(made(), expected);
  write_images(npy(">i2", "2, 2, 2", "\0\0\0\1\0\2\0\3\0\4\0\5\0\6\0\7"s));
  EXPECT_EQ(made(), expected);
  EXPECT_EQ(made_split(options_.out, "train").labels, (std::vector<std::int64_t>{1, 0}));
}

TEST_F(Npy, HalvesAndSignsAreExact) {
  // 1, -2, the smallest half 2^-24, the largest 65504.
  write_images(npy("<f2", "2, 1, 2", "\x00\x3c\x00\xc0\x01\x00\xff\x7b"s));
  EXPECT_EQ(made(), (std::vector<float>{1, -2, 0x1p-24F, 65504}));
  write_images(npy("|i1", "2, 1, 2", "\xff\x80\x7f\0"s));
  EXPECT_EQ(made(), (std::vector<float>{-1, -128, 127, 0}));
  write_images(npy("<f2", "2, 1, 2", "\x00\x7c\0\0\0\0\0\0"s));
  EXPECT_HOLDS(complaint(), "image 0 of " + options_.train.images + " holds");
}

TEST_F(Npy, EveryTruncationIsNamed) {
  const std::string whole = npy("<f4", "2, 2, 2", std::string(32, '\0'));
  write_images(whole);
  EXPECT_EQ(made().size(), 8U);
  const std::string before = test::read_bytes(options_.out);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    write_images(whole.substr(0, bytes));
    EXPECT_HOLDS(complaint(), options_.train.images);
  }
  write_images(whole + "x");
  EXPECT_HOLDS(complaint(), "goes on after its last number");
  EXPECT_EQ(test::read_bytes(options_.out), before);
  EXPECT_EQ(folder_.entries(), 3);
}

TEST_F(Npy, AHeaderIsNotTakenAtItsWord) {
  for (const char* shape :
       {"2, 65535, 65535", "2, 99999999, 1", "4611686018427387904, 2, 2", "0, 2, 2", "2, 2, 0"}) {
    write_images(npy("|u1", shape, "12345678"));
    EXPECT_HOLDS(complaint(), options_.train.images);
  }
  write_images(npy("|u1", "2, 2, 2", "12345678"));
  write_bytes(options_.train.labels, npy("|u1", "4611686018427387904, 4", "12345678"));
  EXPECT_HOLDS(complaint(), options_.train.labels);
}

}  // namespace
}  // namespace convoy::importers
