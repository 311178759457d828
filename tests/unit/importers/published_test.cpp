// import idx, cifar100 and stl10.

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/importers/source_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::importers {
namespace {

using test::big_word;
using test::made_classes;
using test::made_split;
using test::message_of;
using test::write_bytes;
using namespace std::string_literals;

/// Pixel (y, x) of image i is 50 i + 10 y + x; 3 rows of 2.
std::string idx_images(std::uint32_t samples) {
  std::string bytes = big_word(0x803) + big_word(samples) + big_word(3) + big_word(2);
  for (std::uint32_t i = 0; i < samples; ++i)
    for (const std::uint32_t yx : {0U, 1U, 10U, 11U, 20U, 21U}) bytes += static_cast<char>(50 * i + yx);
  return bytes;
}
std::string idx_labels(const std::string& labels) {
  return big_word(0x801) + big_word(static_cast<std::uint32_t>(labels.size())) + labels;
}

class Idx : public testing::Test {
 protected:
  void write_set(const std::string& prefix, const std::string& train, const std::string& test) {
    write_bytes(in_ / (prefix + "train-images-idx3-ubyte"),
                idx_images(static_cast<std::uint32_t>(train.size())));
    write_bytes(in_ / (prefix + "train-labels-idx1-ubyte.gz"), test::gzip(idx_labels(train)));
    write_bytes(in_ / (prefix + "test-images-idx3-ubyte"),
                idx_images(static_cast<std::uint32_t>(test.size())));
    write_bytes(in_ / (prefix + "test-labels-idx1-ubyte"), idx_labels(test));
  }
  ImportReport import() { return import_idx(options_); }
  template <class Expected = DataError>
  std::string complaint() {
    const std::string message = message_of<Expected>([&] { (void)import(); });
    EXPECT_EQ(out_.entries(), 0) << message;
    return message;
  }

  test::ScratchFolder in_;
  test::ScratchFolder out_;
  IdxOptions options_{.folder = in_.path(), .out = out_ / "i.h5"};
};

TEST_F(Idx, EmnistIsTransposedNumberedFromZeroAndNamed) {
  write_set("emnist-letters-", "\1\3\2"s, "\2\3"s);
  write_bytes(in_ / "emnist-letters-mapping.txt", "1 65 97\n2 66 98\n3 67 99\n");
  const ImportReport report = import();
  EXPECT_EQ(report.shape, (Shape{1, 2, 3}));
  EXPECT_EQ(report.classes, 3);
  const auto train = made_split(options_.out, "train");
  EXPECT_EQ(train.dims, (Dims{3, 1, 2, 3}));
  EXPECT_EQ(train.labels, (std::vector<std::int64_t>{0, 2, 1}));
  EXPECT_EQ(std::vector<float>(train.images.begin() + 6, train.images.begin() + 12),
            (std::vector<float>{50, 60, 70, 51, 61, 71}));
  EXPECT_EQ(made_split(options_.out, "test").labels, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(made_classes(options_.out), (std::vector<std::string>{"Aa", "Bb", "Cc"}));
}

TEST_F(Idx, OtherNamesAreNotTransposedUnlessAsked) {
  write_set("letters.", "\0\1"s, "\0"s);
  EXPECT_EQ(import().shape, (Shape{1, 3, 2}));
  options_.transpose = IdxOptions::Transpose::kYes;
  EXPECT_EQ(import().shape, (Shape{1, 2, 3}));
  EXPECT_EQ(made_split(options_.out, "train").images[1], 10);
}

TEST_F(Idx, KagglesNamesAreRead) {
  write_bytes(in_ / "train-images.idx3-ubyte", idx_images(2));
  write_bytes(in_ / "train-labels.idx1-ubyte", idx_labels("\0\1"s));
  write_bytes(in_ / "t10k-images.idx3-ubyte", idx_images(1));
  write_bytes(in_ / "t10k-labels.idx1-ubyte", idx_labels("\1"s));
  const ImportReport report = import();
  ASSERT_EQ(report.splits.size(), 2U);
  EXPECT_EQ(report.splits[1].name, "test");
  EXPECT_EQ(made_split(options_.out, "test").labels, (std::vector<std::int64_t>{1}));
}

TEST_F(Idx, OfSeveralColumnsOfLabelsTheFirstIsTaken) {
  write_bytes(in_ / "qmnist-train-images-idx3-ubyte", idx_images(2));
  std::string labels = big_word(0xC02) + big_word(2) + big_word(8);
  for (const std::uint32_t label : {1U, 0U}) {
    labels += big_word(label);
    for (std::uint32_t column = 1; column < 8; ++column) labels += big_word(1000 + column);
  }
  write_bytes(in_ / "qmnist-train-labels-idx2-int.gz", test::gzip(labels));
  write_bytes(in_ / "qmnist-train-labels.tsv.gz", "no IDX file");
  EXPECT_EQ(import().splits.size(), 1U);
  EXPECT_EQ(made_split(options_.out, "train").labels, (std::vector<std::int64_t>{1, 0}));
}

TEST_F(Idx, SeveralSetsNeedAChoice) {
  write_set("emnist-digits-", "\0\1"s, "\0"s);
  write_set("emnist-letters-", "\1\2"s, "\1"s);
  EXPECT_HOLDS(complaint<ConfigError>(),
               "2 sets in " + in_.path() + " (emnist-digits, emnist-letters); --set");
  options_.set = "emnist-letter";
  EXPECT_HOLDS(complaint<ConfigError>(), "no set emnist-letter in");
  options_.set = "emnist-letters";
  EXPECT_EQ(import().classes, 2);
}

TEST_F(Idx, FilesByHandMayHaveAnyNames) {
  write_bytes(in_ / "a", idx_images(2));
  write_bytes(in_ / "b.gz", test::gzip(idx_labels("\1\0"s)));
  options_ = {.folder = {}, .out = options_.out, .train = {in_ / "a", in_ / "b.gz"}};
  EXPECT_EQ(import().classes, 2);
  options_.test.images = in_ / "a";
  io::remove_file(options_.out);
  EXPECT_HOLDS(complaint<ConfigError>(), "no labels of the test split for " + in_ / "a");
}

TEST_F(Idx, WrongLabelsAndFoldersAreNamed) {
  EXPECT_HOLDS(complaint<ConfigError>(), "no IDX files in " + in_.path());
  write_set("", "\0\2"s, "\0"s);
  EXPECT_HOLDS(complaint(), "(2 follows 0); --label-values sorted");
  options_.labels.values = LabelRules::Values::kSorted;
  EXPECT_EQ(import().classes, 2);
  options_.labels.values = LabelRules::Values::kAsIs;
  EXPECT_EQ(import().classes, 3);
  io::remove_file(options_.out);
  options_.labels = {};
  write_set("", "\0\1"s, "\0\7"s);
  EXPECT_HOLDS(complaint(), "number 1 is 7); the classes are those of " + in_ / "train-labels");
  write_bytes(in_ / "train-labels-idx1-ubyte.gz", test::gzip(big_word(0xD01) + big_word(2) + "12345678"));
  EXPECT_HOLDS(complaint(), "wrong magic number in");
}

TEST(ImportMnist, ReferToIdxForOtherNames) {
  const test::ScratchFolder in;
  write_bytes(in / "train-images.idx3-ubyte", idx_images(2));
  EXPECT_HOLDS(
      message_of<ConfigError>([&] { import_mnist(in.path(), in / "m.h5"); }),
      "there is train-images.idx3-ubyte); download it into " + in.path() + ", or: 'convoy import idx'");
}

class Cifar100 : public testing::Test {
 protected:
  Cifar100() {
    write_bytes(in_ / "train.bin", record(3, 60, 7) + record(19, 99, 8));
    write_bytes(in_ / "test.bin.gz", test::gzip(record(0, 1, 9)));
    std::string names;
    for (int k = 0; k < 20; ++k) names += "coarse" + std::to_string(k) + "\n";
    write_bytes(in_ / "coarse_label_names.txt", names);
  }
  static std::string record(int coarse, int fine, int pixel) {
    std::string bytes{static_cast<char>(coarse), static_cast<char>(fine)};
    return bytes + std::string(3072, static_cast<char>(pixel));
  }
  test::ScratchFolder in_;
  test::ScratchFolder out_;
};

TEST_F(Cifar100, HasFineAndCoarseLabels) {
  const ImportReport fine = import_cifar100(in_.path(), out_ / "f.h5", Cifar100Labels::kFine);
  EXPECT_EQ(fine.classes, 100);
  EXPECT_EQ(made_split(out_ / "f.h5", "train").labels, (std::vector<std::int64_t>{60, 99}));
  EXPECT_EQ(made_classes(out_ / "f.h5")[99], "99");
  ASSERT_EQ(fine.notes.size(), 1U);
  EXPECT_HOLDS(fine.notes[0], "there is no " + in_ / "fine_label_names.txt");
  EXPECT_EQ(import_cifar100(in_.path(), out_ / "c.h5", Cifar100Labels::kCoarse).classes, 20);
  const auto train = made_split(out_ / "c.h5", "train");
  EXPECT_EQ(train.labels, (std::vector<std::int64_t>{3, 19}));
  EXPECT_EQ(train.images[3072], 8);
  EXPECT_EQ(made_split(out_ / "c.h5", "test").images[0], 9);
  EXPECT_EQ(made_classes(out_ / "c.h5")[19], "coarse19");
}

TEST_F(Cifar100, WhatIsWrongIsNamed) {
  const auto complaint = [&] {
    return message_of<DataError>(
        [&] { (void)import_cifar100(in_.path(), out_ / "f.h5", Cifar100Labels::kFine); });
  };
  write_bytes(in_ / "train.bin", record(0, 100, 0));
  EXPECT_HOLDS(complaint(), "of record 0: 100); labels lie between 0 and 99");
  write_bytes(in_ / "train.bin", record(0, 1, 0).substr(1));
  EXPECT_HOLDS(complaint(), "after 0 records of 3,074 bytes 3073 bytes are left");
  EXPECT_HOLDS(message_of<ConfigError>([&] { import_cifar10(in_.path(), out_ / "f.h5"); }),
               "there is coarse_label_names.txt, test.bin.gz, train.bin); download it into " + in_.path() +
                   ", or: 'convoy import cifar100'");
  write_bytes(in_ / "train_X.bin", "x");
  EXPECT_HOLDS(message_of<ConfigError>([&] { import_cifar10(in_.path(), out_ / "f.h5"); }),
               ", or: 'convoy import stl10' reads STL-10");
  EXPECT_EQ(out_.entries(), 0);
}

class Stl10 : public testing::Test {
 protected:
  Stl10() {
    write_bytes(in_ / "train_X.bin", image() + image());
    write_bytes(in_ / "train_y.bin", "\x0a\x01");
    write_bytes(in_ / "test_X.bin.gz", test::gzip(image()));
    write_bytes(in_ / "test_y.bin", "\x02");
    write_bytes(in_ / "unlabeled_X.bin", image() + image() + image());
  }
  /// Column x of plane c has the value 50 c + x; its first pixel is 255.
  static std::string image() {
    std::string bytes;
    for (int c = 0; c < 3; ++c)
      for (int x = 0; x < 96; ++x) bytes += "\xff"s + std::string(95, static_cast<char>(50 * c + x));
    return bytes;
  }
  test::ScratchFolder in_;
  test::ScratchFolder out_;
};

TEST_F(Stl10, IsTurnedToRowsAndCountsWhatHasNoLabels) {
  const ImportReport report = import_stl10(in_.path(), out_ / "s.h5");
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_HOLDS(report.notes[0], "3 images without labels");
  const auto train = made_split(out_ / "s.h5", "train");
  EXPECT_EQ(train.dims, (Dims{2, 3, 96, 96}));
  EXPECT_EQ(train.labels, (std::vector<std::int64_t>{9, 0}));
  EXPECT_EQ(train.images[5], 255);                      // row 0
  EXPECT_EQ(train.images[96 + 5], 5);                   // row 1, column 5
  EXPECT_EQ(train.images[2 * 9216 + 96 + 7], 100 + 7);  // plane 2
  EXPECT_EQ(made_classes(out_ / "s.h5")[0], "airplane");
}

TEST_F(Stl10, WhatIsWrongIsNamed) {
  const auto complaint = [&] {
    return message_of<DataError>([&] { (void)import_stl10(in_.path(), out_ / "s.h5"); });
  };
  write_bytes(in_ / "train_y.bin", "\x0a\x01\x02");
  EXPECT_HOLDS(complaint(), "it ends within image 2 of the 3 that have labels");
  write_bytes(in_ / "train_y.bin", "\x0a");
  EXPECT_HOLDS(complaint(), "padded file");
  write_bytes(in_ / "train_y.bin", "\x0a\0"s);
  EXPECT_HOLDS(complaint(), "number 1 is 0); labels lie between 1 and 10");
  EXPECT_EQ(out_.entries(), 0);
}

}  // namespace
}  // namespace convoy::importers
