#include "doubtful_classes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "convoy/core/text.hpp"
#include "convoy/folders/folder_files.hpp"
#include "convoy/samples/names.hpp"
#include "folder_names.hpp"
#include "label_table.hpp"

namespace convoy::importers {
namespace {

/// What to type: a folder of images and a table of their labels.
struct Instead {
  std::string folder;
  std::string table;  ///< empty: none is there
};

/// The first table that names images, and their folder: that of the table or one of `kinds`; if there is
/// none, the likely folder and the first table.
Instead find_instead(const FolderTree& tree, const std::string& below, const std::vector<std::string>& tables,
                     std::vector<std::string> kinds) {
  std::stable_partition(kinds.begin(), kinds.end(), is_name_of_images);
  std::vector<std::string> folders{tree.path_of(below)};
  for (const std::string& kind : kinds) folders.push_back(tree.path_of(FolderTree::joined(below, kind)));
  for (const std::string& table : tables)
    for (const std::string& folder : folders)
      if (const std::string path = tree.path_of(FolderTree::joined(below, table)); names_images(path, folder))
        return {folder, path};
  return {folders.size() > 1 ? folders[1] : folders[0],
          tables.empty() ? std::string() : tree.path_of(FolderTree::joined(below, tables.front()))};
}

/// Warns if the folders are named like the training split and others.
void note_names_of_splits(const FolderTree& tree, const std::string& below, const Entries& entries,
                          std::vector<std::string>& warnings) {
  std::vector<std::string> named;
  std::set<std::string_view> splits;
  for (const std::string& folder : entries.folders) {
    const std::string_view split = split_of_folder(folder);
    if (split.empty()) continue;
    named.push_back(folder);
    splits.insert(split);
  }
  if (splits.size() < 2 || !splits.contains(data::names::kTrain)) return;
  warnings.push_back(
      fmt::format("the class folders {} of {} are named like splits, but hold no class folders; if they are "
                  "splits, say with --labels F.csv (file, label) what each image is",
                  first_names(named), tree.path_of(below)));
}

}  // namespace

void note_doubtful_classes(const FolderTree& tree, const std::string& below, const Entries& entries,
                           std::vector<std::string>& warnings) {
  note_names_of_splits(tree, below, entries, warnings);
  std::vector<std::string> tables;
  std::ranges::copy_if(entries.files, std::back_inserter(tables), is_sure_table);
  const std::vector<std::string> kinds = names_of_kinds(entries.folders);
  if (entries.folders.empty() || (tables.empty() && kinds.empty())) return;
  const auto [folder, table] = find_instead(tree, below, tables, kinds);
  const std::string problem =
      kinds.empty()
          ? fmt::format("{} lies beside the class folders and is not read", table)
          : fmt::format("the class folders {} of {} are named like kinds of files, not like classes",
                        first_names(kinds), tree.path_of(below));
  warnings.push_back(
      fmt::format("{}; if {} says what each image is (file, label): import folder '{}' --labels {}", problem,
                  table.empty()   ? "a table"
                  : kinds.empty() ? "it, not the folders,"
                                  : table,
                  folder, table.empty() ? "TABLE.csv" : '\'' + table + '\''));
}

}  // namespace convoy::importers
