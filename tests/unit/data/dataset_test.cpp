#include "convoy/data/dataset.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/data/describe.hpp"
#include "convoy/data/memory_split.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "unit/data/dataset_fixture.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;
using test::kSmallShape;
using test::kSmallTest;
using test::kSmallTrain;
using test::message_of;
using test::small_pixel;

Dataset open(const std::string& path, const std::vector<std::string>& splits = {"train", "test"}) {
  return {path, Communicator::self(), splits};
}

class SmallDataset : public testing::Test {
 protected:
  SmallDataset() { test::write_small_dataset(path_); }
  test::ScratchFolder folder_;
  std::string path_ = folder_ / "small.h5";
};

TEST_F(SmallDataset, IsReadAsWritten) {
  const Dataset data = open(path_);
  EXPECT_EQ(data.shape(), kSmallShape);
  EXPECT_EQ(data.classes(), 3);
  EXPECT_EQ(data.class_names(), (std::vector<std::string>{"ant", "bee", "cicada"}));
  EXPECT_EQ(data.digest(), to_hex(hash(std::string_view(test::read_bytes(path_)).substr(512))));
  ASSERT_NE(data.split("train"), nullptr);
  EXPECT_EQ(data.split("train")->samples(), kSmallTrain);
  EXPECT_EQ(data.split("test")->samples(), kSmallTest);
  EXPECT_EQ(data.split("validation"), nullptr);
  for (std::int64_t i = 0; i < kSmallTrain; ++i)
    EXPECT_EQ(data.split("train")->labels()[static_cast<std::size_t>(i)], i % 3);
}

TEST_F(SmallDataset, HoldsTheSplitsAskedForAlone) {
  const Dataset data = open(path_, {"test"});
  EXPECT_EQ(data.split("train"), nullptr);
  EXPECT_NE(data.split("test"), nullptr);
}

TEST_F(SmallDataset, StatisticsAreThoseOfTheTrainingPixels) {
  const InputTransform transform = open(path_).transform(Normalize::kDataset);
  EXPECT_EQ(transform.scale, 1.0 / 255);
  constexpr std::int64_t kPlane = 12;
  for (std::int64_t c = 0; c < 2; ++c) {
    double sum = 0;
    double sum_of_squares = 0;
    for (std::int64_t n = 0; n < kSmallTrain; ++n) {
      for (std::int64_t i = 0; i < kPlane; ++i) {
        const double x = small_pixel((n * 2 + c) * kPlane + i) / 255.0;
        sum += x;
        sum_of_squares += x * x;
      }
    }
    constexpr double kPixels = kSmallTrain * kPlane;
    // Under 500 additions of numbers below 1: each rounding is below 500 ulps of 1; the square root halves
    // the error.
    constexpr double kTolerance = 2 * kPixels * 1e-16 * 5;
    const double mean = sum / kPixels;
    EXPECT_NEAR(transform.mean[static_cast<std::size_t>(c)], mean, kTolerance);
    EXPECT_NEAR(transform.std[static_cast<std::size_t>(c)], std::sqrt(sum_of_squares / kPixels - mean * mean),
                kTolerance);
  }
}

TEST_F(SmallDataset, NoNormalisationDividesBy255Alone) {
  const InputTransform transform = open(path_).transform(Normalize::kNone);
  EXPECT_EQ(transform.mean, (std::vector<double>{0, 0}));
  EXPECT_EQ(transform.std, (std::vector<double>{1, 1}));
  EXPECT_EQ(transform.scale, 1.0 / 255);
}

TEST_F(SmallDataset, LoadsTransformedImagesIntoLaneBlocks) {
  const Dataset data = open(path_);
  const InputTransform transform = data.transform(Normalize::kDataset);
  // Two blocks, the second with 3 samples and 13 idle lanes; arbitrary order, one sample repeated.
  std::vector<std::int64_t> samples(19);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int64_t>((i * 5 + 30) % 37);
  samples[18] = samples[3];
  std::vector<float> dst(static_cast<std::size_t>(2 * kSmallShape.size() * kLanes), NAN);
  data.split("train")->load(samples, transform, dst.data());
  for (std::int64_t block = 0; block < 2; ++block) {
    for (std::int64_t i = 0; i < kSmallShape.size(); ++i) {
      const auto c = static_cast<std::size_t>(i / 12);
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const std::int64_t number = block * kLanes + lane < 19 ? block * kLanes + lane : block * kLanes;
        const std::int64_t sample = samples[static_cast<std::size_t>(number)];
        const double x = small_pixel(sample * kSmallShape.size() + i);
        const auto expected =
            static_cast<float>((x * transform.scale - transform.mean[c]) / transform.std[c]);
        EXPECT_EQ(dst[static_cast<std::size_t>((block * kSmallShape.size() + i) * kLanes + lane)], expected)
            << "block " << block << " pixel " << i << " lane " << lane;
      }
    }
  }
}

TEST_F(SmallDataset, RefusesSampleNumbersBeyondTheSplit) {
  const Dataset data = open(path_);
  std::vector<float> dst(static_cast<std::size_t>(kSmallShape.size() * kLanes));
  for (const std::int64_t sample : {std::int64_t{-1}, kSmallTrain})
    EXPECT_THROW(data.split("train")->load({&sample, 1}, data.transform(Normalize::kNone), dst.data()),
                 std::logic_error);
}

TEST_F(SmallDataset, DamageOfAnyKindIsFoundBeforeHdf5SeesIt) {
  const std::string whole = test::read_bytes(path_);
  for (const std::size_t bytes : {std::size_t{40}, std::size_t{512}, whole.size() / 2, whole.size() - 1}) {
    test::write_bytes(path_, whole.substr(0, bytes));
    EXPECT_HOLDS(message_of<DataError>([&] { (void)open(path_); }), "damaged data set " + path_ + " (");
  }
  for (std::size_t at = 0; at < whole.size(); at += 499) {
    std::string bytes = whole;
    bytes[at] ^= 1;
    test::write_bytes(path_, bytes);
    EXPECT_HOLDS(message_of<DataError>([&] { (void)open(path_); }), "damaged data set " + path_ + " (");
    EXPECT_FALSE(describe(path_).sound) << "byte " << at;
  }
}

TEST_F(SmallDataset, IsDescribed) {
  const Description description = describe(path_);
  EXPECT_TRUE(description.sound);
  for (const char* part :
       {"checksum good", "a test", "3: ant, bee, cicada", "37 images of 2x3x4, uint8", "5 images"})
    EXPECT_HOLDS(description.text, part);
}

TEST(DatasetFile, IsNamedWhenMissingOrAFolder) {
  const test::ScratchFolder folder;
  EXPECT_HOLDS(message_of<ConfigError>([&] { (void)open(folder / "none.h5"); }), folder / "none.h5");
  EXPECT_HOLDS(message_of<ConfigError>([&] { (void)open(folder.path()); }), "is a folder");
}

TEST_F(SmallDataset, WithItsSumWrittenOverIsRefused) {
  const std::string whole = test::read_bytes(path_);
  for (const char with : {'\0', 'x'}) {
    test::write_bytes(path_, std::string(512, with) + whole.substr(512));
    EXPECT_HOLDS(message_of<DataError>([&] { (void)open(path_); }), "should hold is not there");
  }
}

// Third-party data sets without checksums, each with one error.
class ForeignDataset : public testing::Test {
 protected:
  using Change = std::function<void(io::File&)>;

  static void add_root(io::File& file) {
    file.set_attribute("/", "format", std::string_view("convoy-dataset"));
    file.set_attribute("/", "format_version", std::int64_t{1});
  }
  static void add_split(io::File& file, const std::string& name, const std::vector<float>& pixels,
                        const std::vector<std::int64_t>& labels, Dims dims) {
    file.write<float>("/" + name + "/images", dims, pixels);
    file.write<std::int64_t>("/" + name + "/labels", {static_cast<std::int64_t>(labels.size())}, labels);
  }
  std::string write(const Change& change) {
    io::File file = io::File::create(path_, Communicator::self());
    change(file);
    file.close();
    // As other programs write: without the 512-byte user block that would hold the checksum.
    test::write_bytes(path_, test::read_bytes(path_).substr(static_cast<std::size_t>(io::kUserBlockBytes)));
    return path_;
  }
  std::string complaint(const Change& change) {
    write(change);
    return message_of<DataError>([&] { (void)open(path_); });
  }

  test::ScratchFolder folder_;
  std::string path_ = folder_ / "foreign.h5";
  std::vector<float> pixels_ = {1, 2, 3, 4, 5, 7};
};

TEST_F(ForeignDataset, WithoutStatisticsAndClassNamesIsReadAndMeasured) {
  const Dataset data = open(write([&](io::File& file) {
    add_root(file);
    add_split(file, "train", {1000001, 1000003, 1000005, 1000007}, {4, 0}, {2, 1, 1, 2});
  }));
  EXPECT_EQ(data.classes(), 5);
  EXPECT_EQ(data.digest(), to_hex(hash(test::read_bytes(path_))));
  const InputTransform transform = data.transform(Normalize::kDataset);
  EXPECT_EQ(transform.scale, 1);
  EXPECT_EQ(transform.mean, std::vector<double>{1000004});
  EXPECT_EQ(transform.std, std::vector<double>{std::sqrt(5.0)});
  std::vector<float> dst(2 * kLanes);
  data.split("train")->load(std::vector<std::int64_t>{1}, transform, dst.data());
  EXPECT_EQ(dst[0], static_cast<float>(1 / std::sqrt(5.0)));
  EXPECT_EQ(dst[kLanes], static_cast<float>(3 / std::sqrt(5.0)));
}

// Images of one pixel, without labels: sample n is n.
TEST_F(ForeignDataset, OfImagesAloneIsReadInPart) {
  write([&](io::File& file) { file.write<float>("/x", {6, 1, 1, 1}, std::vector<float>{0, 1, 2, 3, 4, 5}); });
  for (const Cache cache : {Cache::kMemory, Cache::kNone}) {
    const Dataset data({.file = path_, .train = {.images = "/x"}, .rows = Range{2, 5}, .cache = cache},
                       Communicator::self(), {"train"});
    EXPECT_EQ(data.classes(), 0);
    const Split& split = *data.split("train");
    EXPECT_FALSE(split.has_answers());
    EXPECT_TRUE(split.labels().empty() && split.targets().empty());
    ASSERT_EQ(split.samples(), 3);
    std::vector<float> block(16);
    const std::vector<std::int64_t> samples{0, 1, 2};
    split.read(samples, data.transform(Normalize::kNone), block.data());
    EXPECT_EQ(std::vector<float>(block.begin(), block.begin() + 3), (std::vector<float>{2, 3, 4}));
  }
  const auto complaint_of = [&](const Range& rows) {
    return message_of<DataError>([&] {
      (void)Dataset({.file = path_, .train = {.images = "/x"}, .rows = rows}, Communicator::self(),
                    {"train"});
    });
  };
  EXPECT_HOLDS(complaint_of({4, 7}), "([4:7] of /x, which holds 6 images)");
  EXPECT_HOLDS(complaint_of({3, 3}), "no such samples");
  EXPECT_HOLDS(complaint_of({-1, 3}), "no such samples");
}

TEST(MemorySplit, HoldsTheImagesItIsGiven) {
  const std::vector<std::uint8_t> images{1, 2, 3, 4, 5, 6};
  const Split split = split_of({1, 1, 2}, images);
  EXPECT_EQ(split.samples(), 3);
  EXPECT_FALSE(split.has_answers());
  std::vector<float> block(2 * 16);
  split.load(std::vector<std::int64_t>{2, 0}, {.shape = {1, 1, 2}, .scale = 1, .mean = {0}, .std = {1}},
             block.data());
  EXPECT_EQ(block[0], 5);
  EXPECT_EQ(block[1], 1);
  EXPECT_EQ(block[16], 6);
  EXPECT_EQ(block[17], 2);
}

TEST_F(ForeignDataset, AChannelThatNeverVariesBecomesZero) {
  const Dataset data = open(write([&](io::File& file) {
    add_root(file);
    add_split(file, "train", {3, 3}, {0, 1}, {2, 1, 1, 1});
  }));
  std::vector<float> dst(kLanes, NAN);
  data.split("train")->load(std::vector<std::int64_t>{0}, data.transform(Normalize::kDataset), dst.data());
  EXPECT_EQ(dst[0], 0);
}

TEST_F(ForeignDataset, WithoutFormatIsNoDataset) {
  EXPECT_HOLDS(complaint([](io::File&) {}), "no root attribute 'format'");
  EXPECT_HOLDS(complaint([](io::File& file) {
                 file.set_attribute("/", "format", std::string_view("convoy-checkpoint"));
               }),
               "its format is 'convoy-checkpoint'");
}

TEST_F(ForeignDataset, OfALaterVersionIsRefused) {
  EXPECT_HOLDS(complaint([](io::File& file) {
                 file.set_attribute("/", "format", std::string_view("convoy-dataset"));
                 file.set_attribute("/", "format_version", std::int64_t{2});
               }),
               "its format_version is 2");
}

TEST_F(ForeignDataset, WithMissingPartsNamesThem) {
  EXPECT_HOLDS(complaint([](io::File& file) { add_root(file); }), "none of /train, /test, /validation");
  EXPECT_HOLDS(complaint([](io::File& file) {
                 add_root(file);
                 file.create_group("/train");
               }),
               "there is no /train/images");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 file.write<float>("/train/images", {6, 1, 1, 1}, pixels_);
               }),
               "there is no /train/labels");
}

TEST_F(ForeignDataset, WithWrongShapesNamesThem) {
  const std::vector<std::int64_t> six(6, 0);
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", pixels_, six, {6, 1});
               }),
               "/train/images is [6x1]");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", pixels_, {0, 0}, {6, 1, 1, 1});
               }),
               "/train/images holds 6 images");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", pixels_, six, {6, 1, 1, 1});
                 add_split(file, "test", pixels_, {0, 1}, {2, 1, 1, 3});
               }),
               "those before it are");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", {}, {}, {0, 1, 1, 1});
               }),
               "no extent may be zero");
}

TEST_F(ForeignDataset, WithWrongTypesNamesThem) {
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 file.write<std::int64_t>("/train/images", {1, 1, 1, 1}, std::vector<std::int64_t>{1});
               }),
               "missing data set");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 file.write<float>("/train/images", {1, 1, 1, 1}, std::vector<float>{1});
                 file.write<float>("/train/labels", {1}, std::vector<float>{0.5F});
               }),
               "labels are whole numbers");
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", {1}, {0}, {1, 1, 1, 1});
                 file.write<std::uint8_t>("/test/images", {1, 1, 1, 1}, std::vector<std::uint8_t>{1});
                 file.write<std::int64_t>("/test/labels", {1}, std::vector<std::int64_t>{0});
               }),
               "the same in every split");
}

TEST_F(ForeignDataset, WithLabelsOutOfRangeNamesTheSample) {
  const auto with_labels = [&](const std::vector<std::int64_t>& labels) {
    return complaint([&](io::File& file) {
      add_root(file);
      file.set_attribute("/", "class_names", std::vector<std::string>{"a", "b"});
      add_split(file, "train", {1, 2}, labels, {2, 1, 1, 1});
    });
  };
  EXPECT_HOLDS(with_labels({0, 2}), "holds 2 for sample 1");
  EXPECT_HOLDS(with_labels({-1, 0}), "holds -1 for sample 0");
}

TEST_F(ForeignDataset, WithPixelsThatAreNoNumbersNamesTheSample) {
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    EXPECT_HOLDS(complaint([&](io::File& file) {
                   add_root(file);
                   add_split(file, "train", {1, 2, 3, wrong}, {0, 1}, {2, 1, 1, 2});
                 }),
                 "NaN or infinity in sample 1");
}

TEST_F(ForeignDataset, WithStatisticsThatDoNotFitIsRefused) {
  EXPECT_HOLDS(complaint([&](io::File& file) {
                 add_root(file);
                 add_split(file, "train", {1, 2}, {0, 1}, {2, 1, 1, 1});
                 file.set_attribute("/train/images", "mean", std::vector<double>{0, 0});
                 file.set_attribute("/train/images", "std", std::vector<double>{1, 1});
               }),
               "attribute 'mean'");
}

TEST_F(ForeignDataset, ThatPromisesMoreThanItStoresIsRefused) {
  EXPECT_HOLDS(
      complaint([&](io::File& file) {
        add_root(file);
        file.create_dataset<float>("/train/images", {std::int64_t{1} << 40, 1, 28, 28}, {.chunk_rows = 1});
        file.write<std::int64_t>("/train/labels", {1}, std::vector<std::int64_t>{0});
      }),
      "was not written to the end");
}

}  // namespace
}  // namespace convoy::data
