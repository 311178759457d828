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

/// Warns of folders that are named like splits: all classes beside them would be images of those, too.
void note_names_of_splits(const FolderTree& tree, const std::string& below, const Entries& entries,
                          std::vector<std::string>& warnings) {
  std::vector<std::string> named;
  std::set<std::string_view> splits;
  bool is_sure = false;
  for (const std::string& folder : entries.folders) {
    const std::string_view split = split_of_folder(folder);
    if (split.empty() && !is_held_out(folder)) continue;
    named.push_back(folder);
    splits.insert(split);
    is_sure = is_sure || is_held_out(folder) || !data::names::split_of_spelling(folder).empty();
  }
  // A number alone ("test1") may be that of a class.
  if (named.empty() || (!is_sure && (splits.size() < 2 || !splits.contains(data::names::kTrain)))) return;
  const bool is_one = named.size() == 1;
  warnings.push_back(fmt::format(
      "the class folder{} {} of {} {} named like {}, but hold{} no class folders; if {}, put a folder a "
      "class into each of train, test and validation, or say with --labels F.csv (file, label) what each "
      "image is",
      is_one ? "" : "s", first_names(named), tree.path_of(below), is_one ? "is" : "are",
      is_one ? "a split" : "splits", is_one ? "s" : "", is_one ? "it is one" : "they are splits"));
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
