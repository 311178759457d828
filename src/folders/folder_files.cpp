#include "convoy/folders/folder_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"
#include "doubtful_classes.hpp"
#include "folder_names.hpp"
#include "folder_tree.hpp"
#include "table_splits.hpp"

namespace convoy::importers {
namespace {

class Lister {
 public:
  explicit Lister(const FolderOptions& options) : options_(options), tree_(options.folder) {}

  FolderFiles list() {
    if (!io::is_folder(options_.folder))
      throw ConfigError("no folder " + options_.folder + "; it should hold one folder of images a class");
    if (!options_.labels.empty()) {
      list_table(options_, found_);
    } else {
      const Entries top = tree_.entries_of("");
      const std::string train = training_folder(top);
      if (!train.empty()) {
        list_splits(top, train);
      } else {
        require_class_folders(top);
        pass_over("", top.files);
        note_doubtful_classes(tree_, "", top, found_.warnings);
        list_classes(top.folders);
        list_split(data::names::kTrain, "", top.folders);
        note_equal_folders(found_);
      }
    }
    set_test_part_apart(options_, found_);
    found_.hidden = tree_.hidden();
    std::erase_if(found_.splits, [](const FolderSplit& split) { return split.files.empty(); });
    if (found_.splits.empty() || found_.splits.front().name != data::names::kTrain)
      throw ConfigError("no images to train in " + options_.folder + " (names should end in one of " +
                        images::image_endings() +
                        "); one folder a class is expected, or such folders below train");
    return std::move(found_);
  }

 private:
  void pass_over(const std::string& below, const std::vector<std::string>& files) {
    for (const std::string& file : files) found_.passed_over.push_back(FolderTree::joined(below, file));
  }

  void list_classes(const std::vector<std::string>& folders) {
    found_.class_names = folders;
    for (const std::string& name : folders)
      if (!is_utf8(name))
        throw ConfigError(fmt::format(
            "class folder {}/{} has a name that is no UTF-8; rename it (convmv does that to many)",
            options_.folder, name));
    if (folders.empty())
      throw ConfigError(
          "no class folders in " + options_.folder +
          " (it holds no folder); put the images of each class into one of its own, or say with "
          "--labels F.csv (file, label) what each is");
  }

  /// The folder of the training split; empty if the folders are classes. A class may be named "train": a
  /// folder is a split only if it contains folders. Names with numbers alone ("train1") are classes if they
  /// say one split and lie beside other folders with folders inside.
  [[nodiscard]] std::string training_folder(const Entries& top) const {
    std::map<std::string_view, std::string> folder_of_split;
    std::vector<std::string> splits;
    bool is_sure = false;
    for (const std::string& folder : top.folders) {
      const std::string_view split = split_of_folder(folder);
      if (split.empty() || !tree_.has_folders(folder)) continue;
      splits.push_back(folder);
      is_sure = is_sure || !data::names::split_of_spelling(folder).empty();
      if (const auto [first, is_new] = folder_of_split.emplace(split, folder);
          !is_new && split == data::names::kTrain)
        refuse_two("training", first->second, folder);
    }
    const auto is_other = [&](const std::string& folder) {
      return split_of_folder(folder).empty() && tree_.has_folders(folder);
    };
    if (splits.empty() ||
        (!is_sure && folder_of_split.size() == 1 && std::ranges::any_of(top.folders, is_other)))
      return {};
    if (const auto train = folder_of_split.find(data::names::kTrain); train != folder_of_split.end())
      return train->second;
    throw ConfigError(
        fmt::format("no training split in {} ({} {} like {}, with folders inside, but there is no "
                    "train); name the folder of the training images train",
                    options_.folder, join(splits, ", "), splits.size() == 1 ? "looks" : "look",
                    splits.size() == 1 ? "a split" : "splits"));
  }

  [[noreturn]] void refuse_two(std::string_view split, const std::string& first,
                               const std::string& second) const {
    throw ConfigError(fmt::format("two {} splits in {} ({} and {}); one of them should go", split,
                                  options_.folder, first, second));
  }

  /// Throws ConfigError for folders that can hardly be classes.
  void require_class_folders(const Entries& top) const {
    const auto& folders = top.folders;
    // Numbers alone ("test1", "test2") may be classes.
    std::set<std::string_view> splits;
    bool are_splits = !folders.empty();
    bool is_sure = false;
    for (const std::string& folder : folders) {
      const std::string_view split = split_of_folder(folder);
      are_splits = are_splits && (!split.empty() || is_held_out(folder));
      is_sure = is_sure || !data::names::split_of_spelling(folder).empty();
      splits.insert(split);
    }
    are_splits = are_splits && (is_sure || splits.size() > 1);
    if (are_splits)
      throw ConfigError(
          fmt::format("no classes in {} ({} {} like splits, without a folder per class inside); put the "
                      "images of each class into a folder of its own, or say with --labels F.csv (file, "
                      "label) what each is",
                      options_.folder, join(folders, ", "), folders.size() == 1 ? "looks" : "look"));
    if (folders.size() != 1) return require_no_hidden_splits(folders);
    const std::string& only = folders.front();
    const auto table = std::ranges::find_if(top.files, is_table);
    std::string hint;
    if (tree_.has_folders(only))
      hint = fmt::format("it holds folders itself: import folder '{}' takes those as classes",
                         tree_.path_of(only));
    else if (table != top.files.end())
      hint = fmt::format(
          "if {0} says what each image is, as a table of file and label: import folder '{1}' "
          "--labels '{0}'",
          tree_.path_of(*table), tree_.path_of(only));
    if (hint.empty()) return;
    throw ConfigError(fmt::format("one class alone in {} (the folder {}); {}", options_.folder, only, hint));
  }

  /// Throws ConfigError if all folders hold folders, and their names say train and another split.
  void require_no_hidden_splits(const std::vector<std::string>& folders) const {
    std::set<std::string_view> splits;
    for (const std::string& folder : folders)
      splits.insert(is_held_out(folder) ? "held out" : split_in(folder));
    if (splits.size() < 2 || splits.contains("") || !splits.contains(data::names::kTrain) ||
        !std::ranges::all_of(folders, [&](const std::string& folder) { return tree_.has_folders(folder); }))
      return;
    throw ConfigError(
        fmt::format("the folders of {} ({}) look like splits, not like classes; rename them train, test and "
                    "validation, or import one of them alone",
                    options_.folder, join(folders, ", ")));
  }

  using SplitFolders = std::map<std::string, std::string, std::less<>>;

  void list_splits(const Entries& top, const std::string& train_folder) {
    pass_over("", top.files);
    const Entries train = tree_.entries_of(train_folder);
    pass_over(train_folder, train.files);
    note_doubtful_classes(tree_, train_folder, train, found_.warnings);
    list_classes(train.folders);
    list_split(data::names::kTrain, train_folder, train.folders);
    SplitFolders folder_of_split;
    std::vector<std::string> others;
    for (const std::string& folder : top.folders) {
      if (folder == train_folder) continue;
      const std::string_view split = split_of_folder(folder);
      if (split.empty() || split == data::names::kTrain)
        others.push_back(folder);
      else if (const auto [first, is_new] = folder_of_split.emplace(split, folder); !is_new)
        refuse_two(split, first->second, folder);
    }
    for (const std::string& folder : others) leave_out(folder, train_folder, folder_of_split);
    for (const auto& [split, folder] : folder_of_split) {
      const Entries entries = tree_.entries_of(folder);
      const bool is_one = entries.folders.size() == 1 && !has_class(entries.folders.front());
      const bool is_unlabelled = is_one && is_name_without_label(entries.folders.front());
      if (entries.folders.empty() || is_unlabelled ||
          (is_one && std::ranges::any_of(entries.files, is_table))) {
        list_flat_split(split, folder, entries);
        continue;
      }
      pass_over(folder, entries.files);
      list_split(split, folder, entries.folders);
    }
  }

  /// Passes over a folder beside train, and warns if its name or its class folders look like a split's.
  void leave_out(const std::string& folder, const std::string& train_folder, const SplitFolders& splits) {
    found_.passed_over.push_back(folder + '/');
    const std::vector<std::string> inside = FolderTree(options_.folder).entries_of(folder).folders;
    const auto shared = static_cast<std::size_t>(
        std::ranges::count_if(inside, [&](const std::string& name) { return has_class(name); }));
    const std::string_view likely = is_held_out(folder) ? std::string_view() : split_in(folder);
    const bool holds_classes = shared > 0 && 2 * shared >= inside.size();
    const bool is_train_too = split_of_folder(folder) == data::names::kTrain;
    if (!holds_classes && !is_held_out(folder) && !is_train_too &&
        (likely.empty() || likely == data::names::kTrain))
      return;
    std::string way;
    if (likely == data::names::kTrain) {
      way = fmt::format("if its images are for training, move them to the class folders of {}",
                        tree_.path_of(train_folder));
    } else if (!likely.empty() && !splits.contains(likely)) {
      way = fmt::format("if it is a split, rename the folder {}", likely);
    } else {
      std::vector<std::string> names;
      for (const char* name : {data::names::kValidation, data::names::kTest})
        if (!splits.contains(name)) names.emplace_back(name);
      way = names.empty() ? "the splits validation and test are there already, so import it alone"
                          : fmt::format("if it is a split, rename the folder {}", join(names, " or "));
    }
    found_.warnings.push_back(fmt::format("{} is left out; {}", tree_.path_of(folder), way));
  }

  /// A split whose images are not in class folders: a table beside them says their labels (TinyImageNet's
  /// val_annotations.txt). Without a table the split is left out.
  void list_flat_split(const std::string& name, const std::string& folder, const Entries& entries) {
    std::vector<std::string> tables;
    std::ranges::copy_if(entries.files, std::back_inserter(tables), is_table);
    const std::string images =
        entries.folders.empty() ? folder : FolderTree::joined(folder, entries.folders.front());
    if (tables.empty()) {
      found_.warnings.push_back(fmt::format(
          "{} is left out: it has no class folders, and no table (file, label) says what its images are",
          tree_.path_of(folder)));
      return;
    }
    if (tables.size() > 1 || !is_plain_table(tables.front()))
      throw ConfigError(fmt::format(
          "no class folders in {} ({} may say what each image is); put the images of each class into a "
          "folder of its own, leave there one table (file, label), or take the folder away",
          tree_.path_of(folder), join(tables, ", ")));
    list_table_of_split(tree_, name, folder, images, tables.front(), found_);
  }

  [[nodiscard]] bool has_class(const std::string& name) const {
    return std::ranges::find(found_.class_names, name) != found_.class_names.end();
  }

  void list_split(const std::string& name, const std::string& below,
                  const std::vector<std::string>& class_folders) {
    FolderSplit split{name, {}, {}};
    for (const std::string& folder : class_folders) {
      const auto place = std::ranges::find(found_.class_names, folder);
      if (place == found_.class_names.end())
        throw ConfigError(fmt::format("class {} of {} is none of the training split ({}){}", folder,
                                      tree_.path_of(below), training_classes(found_),
                                      class_folders.size() == 1 ? "; if its images have no labels, take " +
                                                                      tree_.path_of(below) + " away"
                                                                : ""));
      std::vector<std::string> files;
      tree_.collect(FolderTree::joined(below, folder), files, found_.passed_over);
      std::ranges::sort(files);
      split.labels.insert(split.labels.end(), files.size(), place - found_.class_names.begin());
      std::ranges::move(files, std::back_inserter(split.files));
    }
    found_.splits.push_back(std::move(split));
  }

  const FolderOptions& options_;
  FolderTree tree_;
  FolderFiles found_;
};

}  // namespace

FolderFiles list_images(const FolderOptions& options) {
  return Lister(options).list();
}

}  // namespace convoy::importers
