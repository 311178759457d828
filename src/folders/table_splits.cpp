#include "table_splits.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <tuple>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/samples/names.hpp"
#include "label_table.hpp"

namespace convoy::importers {
namespace {

/// "a.png" of "./a.png".
std::string short_path(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().generic_string();
}

void warn_of_images_in_no_line(const std::vector<LabelledFile>& rows, const std::string& folder,
                               const std::string& table, FolderFiles& found) {
  std::vector<std::string> named;
  for (const LabelledFile& row : rows) named.push_back(short_path(row.file));
  std::ranges::sort(named);
  std::vector<std::string> images;
  std::vector<std::string> others;
  try {
    FolderTree(folder).collect("", images, others);
  } catch (const Error& error) {  // the table alone decides what is imported
    found.warnings.push_back(
        fmt::format("images of {} that are in no line of {} are not named: {}", folder, table, error.what()));
    return;
  }
  std::erase_if(images, [&](const std::string& image) { return std::ranges::binary_search(named, image); });
  if (images.empty()) return;
  found.warnings.push_back(fmt::format("{} of {} {} in no line of {}, and left out (first {})",
                                       counted(static_cast<std::int64_t>(images.size()), "image"), folder,
                                       images.size() == 1 ? "is" : "are", table, first_names(images)));
}

}  // namespace

void list_table(const FolderOptions& options, FolderFiles& found) {
  FolderSplit split{data::names::kTrain, {}, {}};
  LabelTable table = read_label_table(options.labels, options.folder,
                                      {.file = options.file_column, .label = options.label_column});
  found.warnings = std::move(table.warnings);
  std::vector<LabelledFile>& rows = table.rows;
  warn_of_images_in_no_line(rows, options.folder, options.labels, found);
  std::ranges::sort(rows, {}, [](const LabelledFile& row) { return std::tie(row.label, row.file); });
  found.class_names = classes_of(rows);
  for (LabelledFile& row : rows) {
    if (!is_utf8(row.label))
      throw ConfigError("a label of " + options.labels + " is no UTF-8; save the table as UTF-8");
    split.labels.push_back(std::ranges::find(found.class_names, row.label) - found.class_names.begin());
    split.files.push_back(std::move(row.file));
  }
  if (found.class_names.size() < 2)
    throw ConfigError(
        fmt::format("one class alone in {} ({}); a network tells classes apart, so there should be two "
                    "or more",
                    options.labels, join(found.class_names, ", ")));
  // In the order of classes, as from folders.
  std::vector<std::size_t> order(split.labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return split.labels[i]; });
  FolderSplit sorted{data::names::kTrain, {}, {}};
  for (const std::size_t i : order) {
    sorted.files.push_back(std::move(split.files[i]));
    sorted.labels.push_back(split.labels[i]);
  }
  found.splits.push_back(std::move(sorted));
}

void list_table_of_split(const FolderTree& tree, const std::string& name, const std::string& folder,
                         const std::string& images, const std::string& table, FolderFiles& found) {
  const std::string path = tree.path_of(FolderTree::joined(folder, table));
  FolderSplit split{name, {}, {}};
  LabelTable read = read_label_table(path, tree.path_of(images), {.has_options = false});
  std::vector<LabelledFile>& rows = read.rows;
  std::ranges::sort(rows, {}, [](const LabelledFile& row) { return std::tie(row.label, row.file); });
  for (const LabelledFile& row : rows) {
    const auto place = std::ranges::find(found.class_names, row.label);
    if (place == found.class_names.end())
      throw ConfigError(fmt::format("label {} of {} in {} is no class of the training split ({})", row.label,
                                    row.file, path, training_classes(found)));
    split.labels.push_back(place - found.class_names.begin());
    split.files.push_back(FolderTree::joined(images, row.file));
  }
  found.warnings.push_back(fmt::format("the labels of {} are those of {}", tree.path_of(folder), path));
  std::ranges::move(read.warnings, std::back_inserter(found.warnings));
  warn_of_images_in_no_line(rows, tree.path_of(images), path, found);
  found.splits.push_back(std::move(split));
}

}  // namespace convoy::importers
