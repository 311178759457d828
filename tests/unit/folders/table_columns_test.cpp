#include "folders/table_columns.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::importers {
namespace {

/// The columns of a table of lines of words; images are names with an ending, and the numbers below 10.
Columns chosen(const std::vector<std::string>& texts, const ColumnChoice& choice = {}) {
  std::vector<TableLine> lines;
  for (const std::string& text : texts) {
    lines.push_back({static_cast<std::int64_t>(lines.size()) + 1, split_words(text)});
    for (std::string& field : lines.back().fields)
      if (field == "-") field.clear();
  }
  return choose_columns("t.csv", lines, choice, [](const std::string& field) {
    return images::is_image_name(field) || (field.size() == 1 && field[0] >= '0' && field[0] <= '9');
  });
}

template <class Expected>
std::string complaint(const std::vector<std::string>& texts, const ColumnChoice& choice = {}) {
  return test::message_of<Expected>([&] { (void)chosen(texts, choice); });
}

void expect_columns(const Columns& columns, std::size_t file, std::optional<std::size_t> label,
                    bool has_header) {
  EXPECT_EQ(columns.file, file);
  EXPECT_EQ(columns.label, label);
  EXPECT_EQ(columns.has_header, has_header);
}

TEST(TableColumns, TwoAreFileAndLabel) {
  expect_columns(chosen({"a.png cat"}), 0, 1, false);
  expect_columns(chosen({"class file", "cat a.png"}), 0, 1, true);  // its first line is refused later
  expect_columns(chosen({"file label -", "a.png cat -"}), 0, 1, true);
  expect_columns(chosen({"class file", "cat a.png"}, {.label = "class"}), 1, 0, true);
  expect_columns(chosen({"cat a.png"}, {.file = "2"}), 1, 0, false);
}

TEST(TableColumns, UsualNamesDecide) {
  expect_columns(chosen({"Width CLASS file_name", "9 cat a.png"}), 2, 1, true);
  expect_columns(chosen({"lesion_id image_id dx dx_type age", "h0 a1.png nv histo 80"}), 1, 2, true);
  expect_columns(chosen({"id filename label", "7 a.png cat"}), 1, 2, true);  // 7 names an image too
  expect_columns(chosen({"id name label", "77 5 cat"}), 1, 2, true);
  expect_columns(chosen({"photo_ref w class", "a.png 33 cat"}), 0, 2, true);
}

TEST(TableColumns, NamesOfTheHeaderGoBeforeNumbers) {
  const std::vector<std::string> table{"image 1 0", "a.png 5 6", "b.png 7 8"};
  expect_columns(chosen(table, {.label = "1"}), 0, 1, true);
  expect_columns(chosen(table, {.label = "0"}), 0, 2, true);
  expect_columns(chosen(table, {.label = "3"}), 0, 2, true);
  EXPECT_HOLDS(complaint<ConfigError>(table, {.label = "4"}),
               "no column 4 in t.csv (its columns are image, 1, 0)");
  const std::vector<std::string> twice{"file a A kind", "b.png 5 6 x"};
  expect_columns(chosen(twice, {.label = "A"}), 0, 2, true);
  expect_columns(chosen(twice, {.label = "KIND"}), 0, 3, true);
  EXPECT_HOLDS(complaint<ConfigError>({"file a a kind", "b.png 5 6 x"}, {.label = "a"}),
               "several columns a in t.csv (its columns are file, a, a, kind)");
}

TEST(TableColumns, OneColumnAClass) {
  expect_columns(chosen({"image MEL NV", "a.png 1.0 0.0", "b.png 0 1"}), 0, std::nullopt, true);
  expect_columns(chosen({"image class x y", "a.png 1 0 0", "b.png 0 1 0"}), 0, std::nullopt, true);
  expect_columns(chosen({"image label fold", "a.png 1 0", "b.png 0 1"}), 0, 1, true);
  EXPECT_HOLDS(complaint<DataError>({"image MEL NV", "a.png 1 1"}), "wrong line 2 in t.csv (it has 2 1s");
  EXPECT_HOLDS(complaint<ConfigError>({"image MEL NV", "a.png 1 -1"}), "no column of labels found in t.csv");
  EXPECT_HOLDS(complaint<ConfigError>({"image MEL NV", "a.png 1"}), "no column of labels found in t.csv");
  EXPECT_HOLDS(complaint<ConfigError>({"image MEL NV"}), "no column of labels found in t.csv");
}

TEST(TableColumns, OfASplitTheFirstTwoAreTakenWithoutAHeader) {
  const std::vector<std::string> table{"a.png n1 0 0 9 9", "b.png n2 0 0 9 9"};
  expect_columns(chosen(table, {.has_options = false}), 0, 1, false);
  EXPECT_HOLDS(complaint<ConfigError>(table), "no header in t.csv");
  EXPECT_HOLDS(complaint<ConfigError>({"file a b", "a.png x y"}, {.has_options = false}),
               "leave there the columns");
}

}  // namespace
}  // namespace convoy::importers
