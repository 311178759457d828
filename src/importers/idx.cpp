// Data sets in MNIST's format: MNIST itself, and those with other names, classes and layouts.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "class_numbers.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"
#include "idx_file.hpp"

namespace convoy::importers {
namespace {

constexpr const char* kRefer = "'convoy import idx' reads IDX files of any names, labels and classes";

struct Split {
  std::string name;
  IdxImages images;
  IdxLabels labels_file;
  std::vector<std::int64_t> labels{};
};

Shape shape_of(const IdxImages& images, bool is_transposed) {
  return is_transposed ? Shape{1, images.width, images.height} : Shape{1, images.height, images.width};
}

void require_equal_shapes(const std::vector<Split>& splits) {
  const IdxImages& first = splits.front().images;
  for (const Split& split : splits)
    if (shape_of(split.images, false) != shape_of(first, false))
      throw DataError(fmt::format("image sizes differ ({} in {}, {} in {}); they should be the same",
                                  to_string(shape_of(first, false)), first.stream.path(),
                                  to_string(shape_of(split.images, false)), split.images.stream.path()));
}

void copy_images(Split& split, bool is_transposed, DatasetWriter& writer) {
  writer.begin_split(split.name, split.images.samples);
  const auto height = static_cast<std::size_t>(split.images.height);
  const auto width = static_cast<std::size_t>(split.images.width);
  std::vector<std::uint8_t> stored(height * width);
  std::vector<std::uint8_t> turned(is_transposed ? stored.size() : 0);
  for (std::size_t i = 0; i < split.labels.size(); ++i) {
    split.images.stream.read_exactly(stored, "image " + std::to_string(i));
    if (is_transposed)
      for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) turned[x * height + y] = stored[y * width + x];
    writer.append(is_transposed ? turned : stored, {&split.labels[i], 1});
  }
  split.images.stream.require_end(counted(split.images.samples, "sample"));
}

/// What the name of a file says.
struct Named {
  std::string set;    ///< "emnist-letters"
  std::string split;  ///< "train"
  bool is_images = false;
};

std::optional<Named> parse_name(const std::string& file) {
  std::string name = in_lower_case(file);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const std::size_t images = name.rfind("images");
  const std::size_t labels = name.rfind("labels");
  const bool is_idx = name.find("idx") != std::string::npos || name.find("ubyte") != std::string::npos;
  if (!is_idx || (images == std::string::npos) == (labels == std::string::npos)) return std::nullopt;
  const auto without_separators = [](std::string text) {
    while (!text.empty() && std::string_view("-_. ").find(text.back()) != std::string_view::npos)
      text.pop_back();
    return text;
  };
  const std::string head = without_separators(name.substr(0, std::min(images, labels)));
  const std::size_t begin =
      head.find_last_of("-_. ") == std::string::npos ? 0 : head.find_last_of("-_. ") + 1;
  const std::string word = head.substr(begin);
  const std::string_view split = word == "t10k" ? data::names::kTest : data::names::split_of_spelling(word);
  if (split.empty()) return std::nullopt;
  return Named{.set = without_separators(file.substr(0, begin)),
               .split = std::string(split),
               .is_images = images != std::string::npos};
}

using Files = std::map<std::string, FilePair, std::less<>>;  ///< by split

/// Sets of files in a folder, by what their names begin with. A plain file comes before its .gz.
std::map<std::string, Files> find_sets(const std::string& folder) {
  std::map<std::string, Files> sets;
  for (const std::string& file : io::list_folder(folder)) {
    const std::optional<Named> named = parse_name(file);
    if (!named || io::is_folder(folder + '/' + file)) continue;
    FilePair& pair = sets[named->set][named->split];
    std::string& place = named->is_images ? pair.images : pair.labels;
    if (place.empty()) place = folder + '/' + file;
  }
  return sets;
}

std::string shown(const std::string& set) {
  return set.empty() ? "the one without a name before train" : set;
}

std::pair<std::string, Files> choose_set(const IdxOptions& options) {
  if (!io::is_folder(options.folder))
    throw ConfigError(
        fmt::format("no folder {}; it should be the one that holds the IDX files", options.folder));
  std::map<std::string, Files> sets = find_sets(options.folder);
  std::vector<std::string> names;
  for (const auto& [name, files] : sets) names.push_back(shown(name));
  if (sets.empty())
    throw ConfigError(
        fmt::format("no IDX files in {} (names like train-images-idx3-ubyte.gz say the split, images or "
                    "labels, and idx){}; "
                    "--train-images F --train-labels F names files of any other names",
                    options.folder, what_lies_in(options.folder)));
  if (options.set.empty() && sets.size() > 1)
    throw ConfigError(fmt::format("{} sets in {} ({}); --set NAME chooses one", sets.size(), options.folder,
                                  join(names, ", ")));
  const auto chosen = options.set.empty() ? sets.begin() : sets.find(options.set);
  if (chosen == sets.end())
    throw ConfigError(
        fmt::format("no set {} in {}; there is {}", options.set, options.folder, join(names, ", ")));
  return {chosen->first, std::move(chosen->second)};
}

/// "1 65 97" a line: label, codes of a capital and a small letter. Names for the values that it has.
std::vector<std::string> mapped_names(const std::string& path, const std::vector<std::int64_t>& values) {
  std::vector<std::string> names = names_of(values);
  if (!io::exists(path)) return names;
  constexpr std::int64_t kMostBytes = 1 << 16;
  const std::string text = io::read_text_file(path, kMostBytes);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::vector<std::string> line = split_words(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    const auto value = parse_integer(line.front());
    std::string name;
    for (std::size_t i = 1; i < line.size(); ++i)
      if (const auto code = parse_integer(line[i]); code && *code > ' ' && *code < 0x7F)
        name += static_cast<char>(*code);
    if (!value || name.empty())
      throw DataError(fmt::format("wrong line in {} ('{}'); it should hold a label and codes of its letters",
                                  path, join(line, " ")));
    const auto found = std::ranges::lower_bound(values, *value);
    if (found != values.end() && *found == *value)
      names[static_cast<std::size_t>(found - values.begin())] = name;
  }
  return names;
}

Files files_by_hand(const IdxOptions& options) {
  return {{data::names::kTrain, options.train},
          {data::names::kTest, options.test},
          {data::names::kValidation, options.validation}};
}

/// Train first. Throws ConfigError if one of a pair is missing.
std::vector<Split> open_splits(const Files& files) {
  std::vector<Split> splits;
  for (const char* name : {data::names::kTrain, data::names::kTest, data::names::kValidation}) {
    const auto found = files.find(name);
    const FilePair pair = found == files.end() ? FilePair() : found->second;
    const bool is_training = std::string_view(name) == data::names::kTrain;
    if (pair.images.empty() && pair.labels.empty() && !is_training) continue;
    if (pair.images.empty() || pair.labels.empty())
      throw ConfigError(fmt::format("no {} of the {} split{}; a split has an images file and a labels file",
                                    pair.images.empty() ? "images" : "labels", name,
                                    pair.images.empty() ? "" : " for " + pair.images));
    auto [images, labels] = open_pair(ByteStream(pair.images), ByteStream(pair.labels));
    splits.push_back({name, std::move(images), std::move(labels)});
  }
  require_equal_shapes(splits);
  return splits;
}

}  // namespace

void import_mnist(const std::string& folder, const std::string& out, Observer* observer) {
  constexpr std::int64_t kDigits = 10;
  std::vector<Split> splits;
  for (const auto& [name, stem] : {std::pair{data::names::kTrain, "train"}, {data::names::kTest, "t10k"}}) {
    ByteStream images_stream = open_either(folder, std::string(stem) + "-images-idx3-ubyte", kRefer);
    auto [images, labels] = open_pair(std::move(images_stream),
                                      open_either(folder, std::string(stem) + "-labels-idx1-ubyte", kRefer));
    splits.push_back({name, std::move(images), std::move(labels)});
  }
  require_equal_shapes(splits);
  for (Split& split : splits) {
    split.labels = read_labels(split.labels_file);
    const auto wrong =
        std::ranges::find_if(split.labels, [](std::int64_t label) { return label < 0 || label >= kDigits; });
    if (wrong != split.labels.end())
      throw DataError(fmt::format("wrong label in {} (number {} is {}); labels lie between 0 and 9 ({})",
                                  split.labels_file.stream.path(), wrong - split.labels.begin(), *wrong,
                                  kRefer));
  }
  DatasetHeader header{
      .shape = shape_of(splits.front().images, false), .source = "MNIST files (IDX)", .class_names = {}};
  for (std::int64_t k = 0; k < kDigits; ++k) header.class_names.push_back(std::to_string(k));
  DatasetWriter writer(out, std::move(header), observer);
  for (Split& split : splits) copy_images(split, false, writer);
  writer.finish();
}

ImportReport import_idx(const IdxOptions& options, Observer* observer) {
  const bool is_by_hand = !options.train.images.empty();
  const auto [set, files] =
      is_by_hand ? std::pair{io::name_of(options.train.images), files_by_hand(options)} : choose_set(options);
  std::vector<Split> splits = open_splits(files);
  std::vector<SplitLabels> labels;
  for (Split& split : splits)
    labels.push_back({split.labels_file.stream.path(), read_labels(split.labels_file)});
  const std::vector<std::int64_t> values = number_classes(labels, options.labels);
  for (std::size_t i = 0; i < splits.size(); ++i) splits[i].labels = std::move(labels[i].labels);

  const bool is_transposed =
      options.transpose == IdxOptions::Transpose::kYes ||
      (options.transpose == IdxOptions::Transpose::kAuto && in_lower_case(set).starts_with("emnist"));
  const Shape shape = shape_of(splits.front().images, is_transposed);
  ImportReport report{.shape = shape, .classes = static_cast<std::int64_t>(values.size())};
  DatasetWriter writer(
      options.out,
      {.shape = shape,
       .source = is_by_hand || set.empty() ? "IDX files" : "IDX files " + set,
       .class_names =
           is_by_hand ? names_of(values) : mapped_names(options.folder + '/' + set + "-mapping.txt", values)},
      observer);
  for (Split& split : splits) {
    copy_images(split, is_transposed, writer);
    report.splits.push_back({split.name, split.images.samples});
  }
  writer.finish();
  if (is_transposed)
    report.notes.push_back("Transposed: the files hold each image by columns (--transpose no leaves it).");
  if (values.front() != 0)
    report.notes.push_back(fmt::format("Class 0 is label {} of the files, and so on.", values.front()));
  return report;
}

}  // namespace convoy::importers
