// What the classes of one split say of those of another.

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/samples/layout.hpp"
#include "sample_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

using Numbers = std::vector<std::int64_t>;

class SplitClasses : public testing::Test {
 protected:
  /// The warnings of a training split with labels `train` and a test split with labels `test`.
  std::vector<std::string> warnings(const Numbers& train, const Numbers& test) {
    write(train, test);
    return read_layout(options_).warnings;
  }
  std::string complaint(const Numbers& train, const Numbers& test) {
    write(train, test);
    return test::message_of<DataError>([this] { (void)read_layout(options_); });
  }

  const test::ScratchFolder folder_;
  Options options_{.file = folder_ / "a.h5",
                   .train = {.images = "/x", .labels = "/y"},
                   .test = {.images = "/x", .labels = "/z"}};

 private:
  void write(const Numbers& train, const Numbers& test) {
    test::write_samples(folder_ / "a.h5", static_cast<std::int64_t>(train.size()), [&](io::File& file) {
      test::write_values<std::int64_t>(file, "/y", train);
      test::write_values<std::int64_t>(file, "/z", test);
    });
  }
};

TEST_F(SplitClasses, ThatAreTheSameGiveNoWarning) {
  EXPECT_TRUE(warnings({0, 1, 2, 0}, {2, 1, 0, 0}).empty());
  EXPECT_TRUE(warnings({0, 1, 2, 0}, {1, 1, 0, 0}).empty());
}

TEST_F(SplitClasses, ThatTheTrainingSplitLacksAreNamed) {
  const std::vector<std::string> found = warnings({0, 1, 0, 1}, {0, 2, 1, 3});
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found.front(), options_.file + ": classes 2, 3 occur in the test split only");
}

TEST_F(SplitClasses, OfLabelsThatCountFromOneAreGuessed) {
  EXPECT_HOLDS(warnings({0, 1, 2, 0}, {1, 2, 3, 3}).front(),
               "class 3 occurs in the test split only (labels there count from 1?)");
  EXPECT_HOLDS(warnings({1, 2, 3, 3}, {0, 1, 2, 0}).front(),
               "class 0 occurs in the test split only (labels of the training split count from 1?)");
  options_.classes = 3;
  EXPECT_HOLDS(complaint({0, 1, 2, 0}, {1, 2, 3, 3}),
               "labels lie between 0 and 2 (labels of the test split count from 1?)");
}

TEST_F(SplitClasses, ThatAreASingleOneInTrainingAreWarnedOf) {
  options_.classes = 4;
  EXPECT_HOLDS(warnings({3, 3, 3, 3}, {3, 3, 3, 3}).front(),
               "all labels of the training split are 3: nothing to tell apart");
}

TEST_F(SplitClasses, OfATrainedNetworkGiveNoWarning) {
  options_.known_classes = 4;
  EXPECT_TRUE(warnings({0, 0, 0, 0}, {1, 2, 3, 3}).empty());
}

}  // namespace
}  // namespace convoy::data
