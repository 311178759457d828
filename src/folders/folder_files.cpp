#include "convoy/folders/folder_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <tuple>

#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"
#include "label_table.hpp"

namespace convoy::importers {
namespace {

class Lister {
 public:
  explicit Lister(const FolderOptions& options) : options_(options) {}

  FolderFiles list() {
    if (!io::is_folder(options_.folder))
      throw ConfigError("no folder " + options_.folder + "; it should hold one folder of images a class");
    if (!options_.labels.empty()) {
      list_labelled();
    } else {
      const Entries top = entries_of("");
      const std::string train = training_folder(top);
      if (!train.empty()) {
        list_splits(top, train);
      } else {
        require_class_folders(top);
        pass_over("", top.files);
        list_classes(top.folders);
        list_split(data::names::kTrain, "", top.folders);
        note_equal_folders(found_);
      }
    }
    set_test_part_apart();
    std::erase_if(found_.splits, [](const FolderSplit& split) { return split.files.empty(); });
    if (found_.splits.empty() || found_.splits.front().name != data::names::kTrain)
      throw ConfigError("no images to train in " + options_.folder + " (names should end in one of " +
                        images::image_endings() +
                        "); one folder a class is expected, or such folders below train");
    return std::move(found_);
  }

 private:
  struct Entries {
    std::vector<std::string> folders;
    std::vector<std::string> files;
  };

  [[nodiscard]] std::string path_of(const std::string& below) const {
    return below.empty() ? options_.folder : options_.folder + '/' + below;
  }
  static std::string joined(const std::string& below, const std::string& name) {
    return below.empty() ? name : below + '/' + name;
  }

  [[nodiscard]] bool has_folders(const std::string& below) const {
    return std::ranges::any_of(io::list_folder(path_of(below)), [&](const std::string& name) {
      return !name.starts_with('.') && io::is_folder(path_of(joined(below, name)));
    });
  }

  Entries entries_of(const std::string& below) {
    Entries entries;
    for (std::string& name : io::list_folder(path_of(below))) {
      if (name.starts_with('.')) {
        ++found_.hidden;
      } else if (!images::is_image_name(name) && io::is_folder(path_of(joined(below, name)))) {
        // A name of an image is taken as a file without a check: a check per image is slow on a network file
        // system.
        entries.folders.push_back(std::move(name));
      } else {
        entries.files.push_back(std::move(name));
      }
    }
    return entries;
  }

  void pass_over(const std::string& below, const std::vector<std::string>& files) {
    for (const std::string& file : files) found_.passed_over.push_back(joined(below, file));
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
  /// folder is a split only if it contains folders.
  [[nodiscard]] std::string training_folder(const Entries& top) const {
    std::vector<std::string> splits;
    std::string train;
    for (const std::string& folder : top.folders) {
      const std::string_view split = data::names::split_of_spelling(folder);
      if (split.empty() || !has_folders(folder)) continue;
      splits.push_back(folder);
      if (split != data::names::kTrain) continue;
      if (!train.empty())
        throw ConfigError(fmt::format("two training splits in {} ({} and {}); one of them should go",
                                      options_.folder, train, folder));
      train = folder;
    }
    if (train.empty() && !splits.empty())
      throw ConfigError(
          fmt::format("no training split in {} ({} {} like {}, with folders inside, but there is no "
                      "train); name the folder of the training images train",
                      options_.folder, join(splits, ", "), splits.size() == 1 ? "looks" : "look",
                      splits.size() == 1 ? "a split" : "splits"));
    return train;
  }

  /// Throws ConfigError for folders that can hardly be classes.
  void require_class_folders(const Entries& top) const {
    const auto& folders = top.folders;
    const bool are_splits = !folders.empty() && std::ranges::all_of(folders, [](const std::string& folder) {
      return !data::names::split_of_spelling(folder).empty();
    });
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
    if (has_folders(only))
      hint = fmt::format("it holds folders itself: import folder '{}' takes those as classes", path_of(only));
    else if (table != top.files.end())
      hint = fmt::format(
          "if {0} says what each image is, as a table of file and label: import folder '{1}' "
          "--labels '{0}'",
          path_of(*table), path_of(only));
    if (hint.empty()) return;
    throw ConfigError(fmt::format("one class alone in {} (the folder {}); {}", options_.folder, only, hint));
  }

  /// "train" of "seg_train", "Train images" or "training-set"; empty if no word of the name is a split's.
  static std::string_view split_in(const std::string& name) {
    std::string word;
    for (std::size_t i = 0; i <= name.size(); ++i) {
      const bool ends =
          i == name.size() || name[i] == '_' || name[i] == '-' || name[i] == ' ' || name[i] == '.';
      if (!ends) {
        word += name[i];
        continue;
      }
      if (const std::string_view split = data::names::split_of_spelling(word); !split.empty()) return split;
      word.clear();
    }
    return {};
  }

  /// Throws ConfigError if all folders hold folders, and their names say train and another split.
  void require_no_hidden_splits(const std::vector<std::string>& folders) const {
    std::set<std::string_view> splits;
    for (const std::string& folder : folders) splits.insert(split_in(folder));
    if (splits.size() < 2 || splits.contains("") || !splits.contains(data::names::kTrain) ||
        !std::ranges::all_of(folders, [&](const std::string& folder) { return has_folders(folder); }))
      return;
    throw ConfigError(
        fmt::format("the folders of {} ({}) look like splits, not like classes; rename them train, test and "
                    "validation, or import one of them alone",
                    options_.folder, join(folders, ", ")));
  }

  static bool ends_in(const std::string& name, std::initializer_list<std::string_view> endings) {
    return std::ranges::any_of(
        endings, [&](std::string_view ending) { return in_lower_case(name).ends_with(ending); });
  }
  static bool is_table(const std::string& name) {
    return is_plain_table(name) || ends_in(name, {".json", ".xml"});
  }
  static bool is_plain_table(const std::string& name) { return ends_in(name, {".csv", ".tsv", ".txt"}); }

  void list_splits(const Entries& top, const std::string& train_folder) {
    pass_over("", top.files);
    const Entries train = entries_of(train_folder);
    pass_over(train_folder, train.files);
    list_classes(train.folders);
    list_split(data::names::kTrain, train_folder, train.folders);
    std::map<std::string, std::string, std::less<>> folder_of_split;
    for (const std::string& folder : top.folders) {
      const std::string_view split = data::names::split_of_spelling(folder);
      if (folder == train_folder) continue;
      if (split.empty() || split == data::names::kTrain) {
        found_.passed_over.push_back(folder + '/');
        if (const std::string_view likely = split_in(folder);
            !likely.empty() && likely != data::names::kTrain)
          found_.warnings.push_back(
              fmt::format("{} is left out; if it is a split, rename the folder {}", path_of(folder), likely));
      } else if (const auto [first, is_new] = folder_of_split.emplace(split, folder); !is_new) {
        throw ConfigError(fmt::format("two {} splits in {} ({} and {}); one of them should go", split,
                                      options_.folder, first->second, folder));
      }
    }
    for (const auto& [split, folder] : folder_of_split) {
      const Entries entries = entries_of(folder);
      const bool is_one = entries.folders.size() == 1 && !has_class(entries.folders.front());
      if (entries.folders.empty() || (is_one && std::ranges::any_of(entries.files, is_table))) {
        list_flat_split(split, folder, entries);
        continue;
      }
      pass_over(folder, entries.files);
      list_split(split, folder, entries.folders);
    }
  }

  /// A split whose images are not in class folders: a table beside them says their labels (TinyImageNet's
  /// val_annotations.txt). Without a table the split is left out.
  void list_flat_split(const std::string& name, const std::string& folder, const Entries& entries) {
    std::vector<std::string> tables;
    std::ranges::copy_if(entries.files, std::back_inserter(tables), is_table);
    const std::string images = entries.folders.empty() ? folder : joined(folder, entries.folders.front());
    if (tables.empty()) {
      found_.warnings.push_back(fmt::format(
          "{} is left out: it has no class folders, and no table (file, label) says what its images are",
          path_of(folder)));
      return;
    }
    if (tables.size() > 1 || !is_plain_table(tables.front()))
      throw ConfigError(fmt::format(
          "no class folders in {} ({} may say what each image is); put the images of each class into a "
          "folder of its own, leave there one table (file, label), or take the folder away",
          path_of(folder), join(tables, ", ")));
    const std::string table = path_of(joined(folder, tables.front()));
    FolderSplit split{name, {}, {}};
    std::vector<LabelledFile> rows = read_label_table(table, path_of(images));
    std::ranges::sort(rows, {}, [](const LabelledFile& row) { return std::tie(row.label, row.file); });
    for (const LabelledFile& row : rows) {
      const auto place = std::ranges::find(found_.class_names, row.label);
      if (place == found_.class_names.end())
        throw ConfigError(fmt::format("label {} of {} in {} is no class of the training split ({})",
                                      row.label, row.file, table, training_classes()));
      split.labels.push_back(place - found_.class_names.begin());
      split.files.push_back(joined(images, row.file));
    }
    found_.warnings.push_back(fmt::format("the labels of {} are those of {}", path_of(folder), table));
    found_.splits.push_back(std::move(split));
  }

  [[nodiscard]] std::string training_classes() const {
    return fmt::format("which has {}: {}",
                       counted(static_cast<std::int64_t>(found_.class_names.size()), "class"),
                       first_names(found_.class_names));
  }
  [[nodiscard]] bool has_class(const std::string& name) const {
    return std::ranges::find(found_.class_names, name) != found_.class_names.end();
  }

  /// Images and labels from the table --labels.
  void list_labelled() {
    FolderSplit split{data::names::kTrain, {}, {}};
    std::vector<LabelledFile> rows = read_label_table(options_.labels, options_.folder);
    std::ranges::sort(rows, {}, [](const LabelledFile& row) { return std::tie(row.label, row.file); });
    found_.class_names = classes_of(rows);
    for (LabelledFile& row : rows) {
      if (!is_utf8(row.label))
        throw ConfigError("a label of " + options_.labels + " is no UTF-8; save the table as UTF-8");
      split.labels.push_back(std::ranges::find(found_.class_names, row.label) - found_.class_names.begin());
      split.files.push_back(std::move(row.file));
    }
    if (found_.class_names.size() < 2)
      throw ConfigError(
          fmt::format("one class alone in {} ({}); a network tells classes apart, so there should be two "
                      "or more",
                      options_.labels, join(found_.class_names, ", ")));
    // In the order of classes, as from folders.
    std::vector<std::size_t> order(split.labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return split.labels[i]; });
    FolderSplit sorted{data::names::kTrain, {}, {}};
    for (const std::size_t i : order) {
      sorted.files.push_back(std::move(split.files[i]));
      sorted.labels.push_back(split.labels[i]);
    }
    found_.splits.push_back(std::move(sorted));
  }

  void list_split(const std::string& name, const std::string& below,
                  const std::vector<std::string>& class_folders) {
    FolderSplit split{name, {}, {}};
    for (const std::string& folder : class_folders) {
      const auto place = std::ranges::find(found_.class_names, folder);
      if (place == found_.class_names.end())
        throw ConfigError(fmt::format(
            "class {} of {} is none of the training split ({}){}", folder, path_of(below), training_classes(),
            class_folders.size() == 1 ? "; if its images have no labels, take " + path_of(below) + " away"
                                      : ""));
      std::vector<std::string> files;
      collect(joined(below, folder), 0, files);
      std::ranges::sort(files);
      split.labels.insert(split.labels.end(), files.size(), place - found_.class_names.begin());
      std::ranges::move(files, std::back_inserter(split.files));
    }
    found_.splits.push_back(std::move(split));
  }

  void collect(const std::string& below, int depth, std::vector<std::string>& files) {
    constexpr int kMostDepth = 32;
    if (depth > kMostDepth)
      throw ConfigError(
          fmt::format("folders too deep in {} ({}); a link that points to a folder above itself should go",
                      options_.folder, below));
    const Entries entries = entries_of(below);
    for (const std::string& file : entries.files) {
      if (images::is_image_name(file))
        files.push_back(joined(below, file));
      else
        found_.passed_over.push_back(joined(below, file));
    }
    for (const std::string& folder : entries.folders) collect(joined(below, folder), depth + 1, files);
  }

  /// Moves images of each class to the test split: of n images, the round(n·part) with the smallest hash of
  /// seed and name, at most n − 1.
  void set_test_part_apart() {
    if (options_.test_part == 0) return;
    FolderSplit& train = found_.splits.front();
    if (std::ranges::any_of(found_.splits,
                            [](const FolderSplit& split) { return split.name == data::names::kTest; }))
      throw ConfigError("--test-part is for folders without a test split (" + options_.folder +
                        "/test is there); leave it out");
    FolderSplit kept{data::names::kTrain, {}, {}};
    FolderSplit test{data::names::kTest, {}, {}};
    for (std::size_t begin = 0; begin < train.files.size();) {
      std::size_t end = begin;
      std::vector<std::pair<std::string, std::size_t>> by_sum;
      for (; end < train.files.size() && train.labels[end] == train.labels[begin]; ++end)
        by_sum.emplace_back(to_hex(hash(std::to_string(options_.seed) + '/' + train.files[end])), end);
      std::ranges::sort(by_sum);
      const auto count = std::min(
          static_cast<std::size_t>(std::floor(static_cast<double>(end - begin) * options_.test_part + 0.5)),
          end - begin - 1);
      std::vector<bool> is_test(end - begin, false);
      for (std::size_t i = 0; i < count; ++i) is_test[by_sum[i].second - begin] = true;
      for (std::size_t i = begin; i < end; ++i) {
        FolderSplit& split = is_test[i - begin] ? test : kept;
        split.files.push_back(std::move(train.files[i]));
        split.labels.push_back(train.labels[i]);
      }
      begin = end;
    }
    train = std::move(kept);
    found_.splits.insert(found_.splits.begin() + 1, std::move(test));
  }

  const FolderOptions& options_;
  FolderFiles found_;
};

}  // namespace

FolderFiles list_images(const FolderOptions& options) {
  return Lister(options).list();
}

}  // namespace convoy::importers
