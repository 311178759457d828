#include "convoy/importers/import.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/data/dataset_fixture.hpp"
#include "unit/importers/source_files.hpp"

namespace convoy::importers {
namespace {

using test::gzip;
using test::message_of;
using test::write_bytes;

std::string idx_images(std::uint32_t samples, std::uint32_t height, std::uint32_t width) {
  std::string bytes =
      test::big_word(0x803) + test::big_word(samples) + test::big_word(height) + test::big_word(width);
  for (std::uint32_t i = 0; i < samples * height * width; ++i) bytes += static_cast<char>(i * 11);
  return bytes;
}

std::string idx_labels(std::uint32_t samples) {
  std::string bytes = test::big_word(0x801) + test::big_word(samples);
  for (std::uint32_t i = 0; i < samples; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

class Mnist : public testing::Test {
 protected:
  Mnist() {
    write_bytes(train_images_, idx_images(12, 5, 4));
    write_bytes(in_ / "train-labels-idx1-ubyte", idx_labels(12));
    write_bytes(in_ / "t10k-images-idx3-ubyte", idx_images(3, 5, 4));
    write_bytes(in_ / "t10k-labels-idx1-ubyte", idx_labels(3));
  }
  // After any error, the output's folder must be empty.
  template <class Expected = DataError>
  std::string complaint() {
    const std::string message = message_of<Expected>([&] { import_mnist(in_.path(), out_ / "m.h5"); });
    EXPECT_EQ(out_.entries(), 0) << message;
    return message;
  }
  void gzip_all() {
    for (const std::string& name : io::list_folder(in_.path())) {
      write_bytes(in_ / (name + ".gz"), gzip(test::read_bytes(in_ / name)));
      io::remove_file(in_ / name);
    }
  }

  test::ScratchFolder in_;
  test::ScratchFolder out_;
  std::string train_images_ = in_ / "train-images-idx3-ubyte";
};

TEST_F(Mnist, IsImportedPlainAndGzippedAlike) {
  import_mnist(in_.path(), out_ / "plain.h5");
  gzip_all();
  import_mnist(in_.path(), out_ / "gzipped.h5");
  EXPECT_EQ(test::read_bytes(out_ / "plain.h5"), test::read_bytes(out_ / "gzipped.h5"));
  const data::Dataset data(out_ / "plain.h5", comm::Communicator::self(), {"train", "test"});
  EXPECT_EQ(data.shape(), (Shape{1, 5, 4}));
  EXPECT_EQ(data.classes(), 10);
  EXPECT_EQ(data.split("train")->samples(), 12);
  EXPECT_EQ(data.split("test")->labels()[2], 2);
  std::vector<float> dst(20 * kLanes);
  data::InputTransform as_stored = data.transform(data::Normalize::kNone);
  as_stored.scale = 1;
  data.split("train")->load(std::vector<std::int64_t>{3}, as_stored, dst.data());
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(dst[i * kLanes], (60 + i) * 11 % 256);
}

TEST_F(Mnist, NamesMissingFilesAndFolders) {
  io::remove_file(in_ / "t10k-labels-idx1-ubyte");
  EXPECT_HOLDS(complaint<ConfigError>(), "t10k-labels-idx1-ubyte");
  EXPECT_HOLDS(message_of<ConfigError>([&] { import_mnist(in_ / "none", out_ / "m.h5"); }), in_ / "none");
}

TEST_F(Mnist, ATruncatedFileIsNamedWhereverItEnds) {
  const std::string whole = idx_images(12, 5, 4);
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{3}, std::size_t{15}, std::size_t{16}, whole.size() - 1}) {
    write_bytes(train_images_, whole.substr(0, bytes));
    EXPECT_HOLDS(complaint(), "truncated file " + train_images_);
  }
}

TEST_F(Mnist, TruncatedLabelsAreNamed) {
  write_bytes(in_ / "train-labels-idx1-ubyte", idx_labels(12).substr(0, 15));
  EXPECT_HOLDS(complaint(), "it ends within label 7");
}

TEST_F(Mnist, PaddingIsNamed) {
  write_bytes(train_images_, idx_images(12, 5, 4) + "x");
  EXPECT_HOLDS(complaint(), "padded file " + train_images_);
}

TEST_F(Mnist, AWrongMagicNumberIsNamed) {
  write_bytes(train_images_, idx_labels(12));
  EXPECT_HOLDS(complaint(), "it is 2049");
}

TEST_F(Mnist, CountsThatDifferAreNamed) {
  write_bytes(train_images_, idx_images(11, 5, 4));
  EXPECT_HOLDS(complaint(), "11 images");
}

TEST_F(Mnist, ImageSizesThatDifferAreNamed) {
  write_bytes(in_ / "t10k-images-idx3-ubyte", idx_images(3, 4, 5));
  EXPECT_HOLDS(complaint(), "image sizes differ");
}

TEST_F(Mnist, ALabelAboveNineIsNamed) {
  std::string labels = idx_labels(12);
  labels[8 + 4] = 10;
  write_bytes(in_ / "train-labels-idx1-ubyte", labels);
  EXPECT_HOLDS(complaint(), "number 4 is 10");
}

TEST_F(Mnist, AHeaderIsNotTakenAtItsWord) {
  const std::uint32_t huge = 0xFFFFFFFF;
  write_bytes(in_ / "train-labels-idx1-ubyte", test::big_word(0x801) + test::big_word(huge));
  write_bytes(train_images_, test::big_word(0x803) + test::big_word(huge) + test::big_word(huge) +
                                 test::big_word(huge));  // product overflows
  EXPECT_HOLDS(complaint(), "no side may be longer");
  write_bytes(train_images_,
              test::big_word(0x803) + test::big_word(huge) + test::big_word(65535) + test::big_word(65535));
  EXPECT_HOLDS(complaint(), "more than it can hold");
  write_bytes(in_ / "train-labels-idx1-ubyte", test::big_word(0x801) + test::big_word(0));
  write_bytes(train_images_,
              test::big_word(0x803) + test::big_word(0) + test::big_word(28) + test::big_word(28));
  EXPECT_HOLDS(complaint(), "none may be zero");
}

TEST_F(Mnist, DamagedGzipIsNamed) {
  gzip_all();
  const std::string path = train_images_ + ".gz";
  const std::string whole = test::read_bytes(path);
  std::string flipped = whole;
  flipped[flipped.size() - 6] ^= 1;  // in the checksum at the end
  for (const std::string& bytes : {whole.substr(0, whole.size() - 9), whole.substr(0, 5), whole + "stray",
                                   flipped, std::string("plain text"), std::string()}) {
    write_bytes(path, bytes);
    EXPECT_HOLDS(complaint(), "damaged gzip file " + path);
  }
}

TEST_F(Mnist, RealFilesAreImported) {
  const char* set = std::getenv("CONVOY_DATA");
  const std::string folder = std::string(set != nullptr ? set : CONVOY_DEFAULT_DATA) + "/mnist";
  if (!io::is_folder(folder)) GTEST_SKIP() << "no " << folder << " (set CONVOY_DATA)";
  import_mnist(folder, out_ / "m.h5");
  const data::Dataset data(out_ / "m.h5", comm::Communicator::self(), {"train", "test"});
  EXPECT_EQ(data.shape(), (Shape{1, 28, 28}));
  EXPECT_EQ(data.split("train")->samples(), 60000);
  EXPECT_EQ(data.split("test")->samples(), 10000);
  const data::InputTransform transform = data.transform(data::Normalize::kDataset);
  // The commonly used constants, rounded as usual.
  EXPECT_NEAR(transform.mean[0], 0.1307, 5e-5);
  EXPECT_NEAR(transform.std[0], 0.3081, 5e-5);
}

class Cifar10 : public testing::Test {
 protected:
  Cifar10() {
    for (int batch = 1; batch <= 5; ++batch) write_bytes(batch_file(batch), records(batch));
    write_bytes(in_ / "test_batch.bin", records(2));
  }
  [[nodiscard]] std::string batch_file(int batch) const {
    return in_ / ("data_batch_" + std::to_string(batch) + ".bin");
  }
  static std::string records(int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      bytes += static_cast<char>(i);
      for (int p = 0; p < 3072; ++p) bytes += static_cast<char>(p / 1024 * 50 + i);
    }
    return bytes;
  }
  template <class Expected = DataError>
  std::string complaint() {
    const std::string message = message_of<Expected>([&] { import_cifar10(in_.path(), out_ / "c.h5"); });
    EXPECT_EQ(out_.entries(), 0) << message;
    return message;
  }

  test::ScratchFolder in_;
  test::ScratchFolder out_;
};

TEST_F(Cifar10, IsImportedWithAnyNumberOfRecordsAFile) {
  import_cifar10(in_.path(), out_ / "c.h5");
  const data::Dataset data(out_ / "c.h5", comm::Communicator::self(), {"train", "test"});
  EXPECT_EQ(data.shape(), (Shape{3, 32, 32}));
  EXPECT_EQ(data.class_names()[9], "truck");
  EXPECT_EQ(data.split("train")->samples(), 1 + 2 + 3 + 4 + 5);
  EXPECT_EQ(data.split("test")->samples(), 2);
  // Last record of the last batch: label 4; its planes contain 4, 54, 104.
  EXPECT_EQ(data.split("train")->labels()[14], 4);
  std::vector<float> dst(3072 * kLanes);
  data::InputTransform as_stored = data.transform(data::Normalize::kNone);
  as_stored.scale = 1;
  data.split("train")->load(std::vector<std::int64_t>{14}, as_stored, dst.data());
  for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(dst[c * 1024 * kLanes], 4 + 50 * static_cast<float>(c));
}

TEST_F(Cifar10, ReadsGzippedFilesAndClassNames) {
  write_bytes(batch_file(3) + ".gz", gzip(records(3)));
  io::remove_file(batch_file(3));
  write_bytes(in_ / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  import_cifar10(in_.path(), out_ / "c.h5");
  const data::Dataset data(out_ / "c.h5", comm::Communicator::self(), {"train"});
  EXPECT_EQ(data.split("train")->samples(), 15);
  EXPECT_EQ(data.class_names()[9], "j");
}

TEST_F(Cifar10, NamesMissingFiles) {
  io::remove_file(batch_file(4));
  EXPECT_HOLDS(complaint<ConfigError>(), "data_batch_4.bin");
}

TEST_F(Cifar10, PartsOfRecordsAreNamed) {
  write_bytes(batch_file(2), records(2) + "x");
  EXPECT_HOLDS(complaint(), "after 2 records of 3,073 bytes 1 bytes are left");
  write_bytes(batch_file(2), "");
  EXPECT_HOLDS(complaint(), "truncated file " + batch_file(2));
}

TEST_F(Cifar10, ALabelAboveNineIsNamed) {
  std::string bytes = records(2);
  bytes[3073] = 10;
  write_bytes(in_ / "test_batch.bin", bytes);
  EXPECT_HOLDS(complaint(), "of record 1: 10");
}

TEST_F(Cifar10, WrongClassNamesAreNamed) {
  write_bytes(in_ / "batches.meta.txt", "only\nthree\nnames\n");
  EXPECT_HOLDS(complaint(), "it holds 3");
}

}  // namespace
}  // namespace convoy::importers
