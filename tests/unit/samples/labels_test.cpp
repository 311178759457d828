// Labels of the types that io::File writes. Others are tested with h5py (tests/integration/field.py).

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/samples/layout.hpp"
#include "sample_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

using test::write_values;

class Labels : public testing::Test {
 protected:
  /// Four images with `values` at /y, of shape `dims`.
  template <class T>
  void write(const std::vector<T>& values, const Dims& dims = {}) {
    test::write_samples(folder_ / "a.h5", 4,
                        [&](io::File& file) { write_values<T>(file, "/y", values, dims); });
  }
  [[nodiscard]] DatasetLayout layout() const { return read_layout(options_); }
  [[nodiscard]] std::vector<std::int64_t> labels() const { return layout().splits.front().labels; }
  [[nodiscard]] std::string complaint() const {
    return test::message_of<DataError>([this] { (void)layout(); });
  }

  const test::ScratchFolder folder_;
  Options options_{.file = folder_ / "a.h5", .train = {.images = "/x", .labels = "/y"}};
};

const std::vector<std::int64_t> kLabels{2, 0, 1, 2};

TEST_F(Labels, OfAnyShapeWithOneNumberASampleAreRead) {
  for (const Dims& dims : {Dims{4}, Dims{4, 1}, Dims{1, 4}, Dims{4, 1, 1, 1}}) {
    write<std::int64_t>({2, 0, 1, 2}, dims);
    EXPECT_EQ(labels(), kLabels) << to_string(dims);
  }
  for (const Dims& dims : {Dims{3}, Dims{2, 2}, Dims{4, 2, 2}}) {
    write<std::int64_t>(std::vector<std::int64_t>(static_cast<std::size_t>(count(dims))), dims);
    EXPECT_HOLDS(complaint(), "labels should be [4], or one-hot rows [4][classes]");
  }
}

TEST_F(Labels, StoredAsFloatsAreWholeNumbers) {
  write<double>({2, 0, 1, 2});
  EXPECT_EQ(labels(), kLabels);
  write<float>({2, 0, 1, 1.5F});
  EXPECT_HOLDS(complaint(), "/y holds 1.5 for sample 3");
}

TEST_F(Labels, OneHotRowsAreCheckedAndCountClasses) {
  write<float>({0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, {4, 4});
  EXPECT_EQ(labels(), kLabels);
  EXPECT_EQ(layout().classes, 4);  // none is of the last class
  write<float>({0, 0, 1, 1, 0, 0, 0, 1, 0, 0.5F, 0, 1}, {4, 3});
  EXPECT_HOLDS(complaint(), "a number beside the 1 for sample 3");
  write<float>({0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0}, {4, 3});
  EXPECT_HOLDS(complaint(), "0 ones in a row of 3 for sample 3");
}

TEST_F(Labels, OfColumnsAreThoseOfTheLastAxis) {
  write<double>({9, 9, 0, 0, 1, 9, 9, 1, 0, 0, 9, 9, 0, 1, 0, 9, 9, 0, 0, 1}, {4, 5});
  options_.train.labels = "/y[2:5]";
  EXPECT_EQ(labels(), kLabels);
  options_.train.labels = "/y[2]";
  EXPECT_EQ(labels(), (std::vector<std::int64_t>{0, 1, 0, 0}));
  options_.train.labels = "/y[3:6]";
  EXPECT_HOLDS(complaint(), "columns lie between 0 and 5, without the end");
}

TEST_F(Labels, ThatLeaveAGapAreToldWithWhatToType) {
  write<std::int64_t>({0, 1, 7, 1});
  EXPECT_HOLDS(complaint(), "/y holds 7 for sample 2, the only one of 4 samples in all); none is 2 to 6");
  EXPECT_HOLDS(complaint(), "data.classes = 8");
  options_.classes = 8;
  EXPECT_EQ(layout().classes, 8);
  options_.classes = 7;
  EXPECT_HOLDS(complaint(), "there are 7 classes, so labels lie between 0 and 6");
}

TEST_F(Labels, SortedValuesBecomeClassesWithTheirNames) {
  write<std::int64_t>({5, -1, 5, 3});
  options_.label_values = LabelValues::kSorted;
  const DatasetLayout sorted = layout();
  EXPECT_EQ(sorted.splits.front().labels, (std::vector<std::int64_t>{2, 0, 2, 1}));
  EXPECT_EQ(sorted.classes, 3);
  EXPECT_EQ(sorted.label_values, (std::vector<std::int64_t>{-1, 3, 5}));
  EXPECT_EQ(sorted.class_names, (std::vector<std::string>{"-1", "3", "5"}));
  options_.known_values = {-1, 2, 3, 5};
  EXPECT_EQ(labels(), (std::vector<std::int64_t>{3, 0, 3, 2}));
  options_.known_values = {-1, 5};
  EXPECT_HOLDS(complaint(), "holds 3 for sample 3");
}

TEST_F(Labels, ThatAreAllTheSameNeedTheNumberOfClasses) {
  write<std::int64_t>({1, 1, 1, 1});
  EXPECT_HOLDS(complaint(), "all labels are the same");
  options_.classes = 3;
  EXPECT_EQ(layout().classes, 3);
}

TEST_F(Labels, NamesInAListGiveTheNumberOfClasses) {
  write<std::int64_t>({0, 1, 3, 1});
  options_.class_names = "ant,  bee, cat ,dog";
  EXPECT_EQ(layout().class_names, (std::vector<std::string>{"ant", "bee", "cat", "dog"}));
  EXPECT_EQ(layout().classes, 4);
  options_.class_names = "ant, bee";
  EXPECT_HOLDS(complaint(), "there are 2 class names, so labels lie between 0 and 1");
}

TEST_F(Labels, MayLieInAFileOfTheirOwn) {
  test::write_samples(folder_ / "a.h5", 4, [](io::File&) {});
  io::File file = io::File::create(folder_ / "y.h5", comm::Communicator::self());
  write_values<std::int64_t>(file, "/y", {2, 0, 1, 2});
  file.close();
  options_.train.labels_file = folder_ / "y.h5";
  EXPECT_EQ(labels(), kLabels);
}

}  // namespace
}  // namespace convoy::data
