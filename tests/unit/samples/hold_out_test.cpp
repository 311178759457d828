#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/samples/layout.hpp"
#include "sample_files.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kSamples = 40;
const std::vector<std::int64_t> kExpected{12, 13, 18, 19, 23, 28, 35, 37};

class HoldOut : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < kSamples; ++i) labels.push_back(i % 4 == 0 ? 1 : 0);
    test::write_samples(folder_ / "a.h5", kSamples, [&](io::File& file) {
      test::write_values<std::int64_t>(file, "/y", labels);
      test::write_values<double>(file, "/parts",
                                 parts_of([](std::int64_t i) { return i % 10 == 9 ? 2 : 0; }));
      test::write_values<std::int64_t>(file, "/few", {4, 5, 6, 7});
      test::write_values<std::int64_t>(file, "/more", {7, 8});
    });
  }
  template <class Part>
  static std::vector<double> parts_of(const Part& part) {
    std::vector<double> parts;
    for (std::int64_t i = 0; i < kSamples; ++i) parts.push_back(part(i));
    return parts;
  }
  /// The rows of a split; [0, kSamples) if it has all.
  [[nodiscard]] std::vector<std::int64_t> rows_of(const std::string& name) const {
    const DatasetLayout layout = read_layout(options_);
    const SplitLayout* split = layout.find(name);
    if (split == nullptr) return {};
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < split->samples; ++i) {
      rows.push_back(split->row(i));
      EXPECT_EQ(split->labels.at(static_cast<std::size_t>(i)), rows.back() % 4 == 0 ? 1 : 0);
    }
    return rows;
  }

  const test::ScratchFolder folder_;
  Options options_{.file = folder_ / "a.h5", .train = {.images = "/x", .labels = "/y"}};
};

TEST_F(HoldOut, NothingUnlessAskedFor) {
  EXPECT_EQ(rows_of("train").size(), 40U);
  EXPECT_TRUE(rows_of("validation").empty());
}

TEST_F(HoldOut, APartOfEachClassByRandomNumbersOfTheSamplesAlone) {
  options_.held_out.validation_part = 0.2;
  // These samples are a promise: a new version has to hold out the same.
  EXPECT_EQ(rows_of("validation"), kExpected);
  std::vector<std::int64_t> all = rows_of("train");
  const std::vector<std::int64_t> held = rows_of("validation");
  EXPECT_EQ(std::ranges::count_if(held, [](std::int64_t row) { return row % 4 == 0; }), 2);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  all.insert(all.end(), held.begin(), held.end());
  std::ranges::sort(all);
  for (std::int64_t i = 0; i < kSamples; ++i) EXPECT_EQ(all.at(static_cast<std::size_t>(i)), i);
  options_.held_out.validation_seed = 2;
  EXPECT_NE(rows_of("validation"), held);
}

TEST_F(HoldOut, AColumnSaysWhereEachSampleBelongs) {
  options_.held_out.split = "/parts";
  EXPECT_EQ(rows_of("test"), (std::vector<std::int64_t>{9, 19, 29, 39}));
  EXPECT_EQ(rows_of("train").size(), 36U);
}

TEST_F(HoldOut, ListsOfSamplesLeaveTheRestToTraining) {
  options_.held_out.test_index = "/few";
  EXPECT_EQ(rows_of("test"), (std::vector<std::int64_t>{4, 5, 6, 7}));
  EXPECT_EQ(rows_of("train").size(), 36U);
  options_.held_out.train_index = "/few";
  options_.held_out.test_index = "";
  EXPECT_EQ(rows_of("train").size(), 4U);
  options_.held_out.validation_index = "/more";
  EXPECT_HOLDS(test::message_of<DataError>([&] { (void)read_layout(options_); }),
               "holds sample 7, which another index has too");
}

TEST_F(HoldOut, ContradictionsAreRefused) {
  options_.held_out = {.split = "/parts", .test_index = "/few"};
  EXPECT_HOLDS(test::message_of<ConfigError>([&] { (void)read_layout(options_); }), "two ways");
}

}  // namespace
}  // namespace convoy::data
