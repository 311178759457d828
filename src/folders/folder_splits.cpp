#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <vector>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/text.hpp"
#include "convoy/folders/folder_files.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {

void broadcast(FolderFiles& files, const comm::Communicator& world) {
  if (world.size() == 1) return;
  comm::Packer packer;
  if (world.is_root()) {
    packer.put_texts(files.class_names);
    packer.put(files.hidden);
    packer.put_texts(files.passed_over);
    packer.put(files.splits.size());
    for (const FolderSplit& split : files.splits) {
      packer.put_text(split.name);
      packer.put_texts(split.files);
      packer.put(split.labels);
    }
  }
  const std::string message = world.broadcast(packer.message());
  if (world.is_root()) return;
  comm::Unpacker from(message);
  files.class_names = from.get_texts();
  files.hidden = from.get<std::int64_t>();
  files.passed_over = from.get_texts();
  files.splits.resize(from.get<std::size_t>());
  for (FolderSplit& split : files.splits) {
    split.name = from.get_text();
    split.files = from.get_texts();
    split.labels = from.get_vector<std::int64_t>();
  }
}

std::string first_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 6;
  const std::vector<std::string> some(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMost)));
  return join(some, ", ") + (names.size() > kMost ? ", …" : "");
}

void note_equal_folders(FolderFiles& files) {
  const FolderSplit& train = files.splits.front();
  std::vector<std::set<std::string>> inside(files.class_names.size());
  for (std::size_t i = 0; i < train.files.size(); ++i) {
    const auto label = static_cast<std::size_t>(train.labels[i]);
    const std::string_view below =
        std::string_view(train.files[i]).substr(files.class_names[label].size() + 1);
    if (const auto end = below.find('/'); end != std::string_view::npos)
      inside[label].emplace(below.substr(0, end));
  }
  if (inside.size() < 2 || inside.front().size() < 2 ||
      std::ranges::any_of(inside, [&](const auto& names) { return names != inside.front(); }))
    return;
  files.warnings.push_back(fmt::format(
      "the class folders {} all hold the folders {}: if those are the classes, import each of "
      "the upper folders alone",
      first_names(files.class_names), first_names({inside.front().begin(), inside.front().end()})));
}

std::string training_classes(const FolderFiles& files) {
  return fmt::format("which has {}: {}",
                     counted(static_cast<std::int64_t>(files.class_names.size()), "class"),
                     first_names(files.class_names));
}

std::vector<std::string> empty_classes(const FolderFiles& files) {
  std::vector<bool> has_image(files.class_names.size(), false);
  for (const FolderSplit& split : files.splits)
    if (split.name == data::names::kTrain)
      for (const std::int64_t label : split.labels) has_image[static_cast<std::size_t>(label)] = true;
  std::vector<std::string> empty;
  for (std::size_t k = 0; k < has_image.size(); ++k)
    if (!has_image[k]) empty.push_back(files.class_names[k]);
  return empty;
}

void set_test_part_apart(const FolderOptions& options, FolderFiles& found) {
  if (options.test_part == 0) return;
  FolderSplit& train = found.splits.front();
  if (std::ranges::any_of(found.splits,
                          [](const FolderSplit& split) { return split.name == data::names::kTest; }))
    throw ConfigError("--test-part is for folders without a test split (" + options.folder +
                      "/test is there); leave it out");
  FolderSplit kept{data::names::kTrain, {}, {}};
  FolderSplit test{data::names::kTest, {}, {}};
  for (std::size_t begin = 0; begin < train.files.size();) {
    std::size_t end = begin;
    std::vector<std::pair<std::string, std::size_t>> by_sum;
    for (; end < train.files.size() && train.labels[end] == train.labels[begin]; ++end)
      by_sum.emplace_back(to_hex(hash(std::to_string(options.seed) + '/' + train.files[end])), end);
    std::ranges::sort(by_sum);
    const auto count = std::min(
        static_cast<std::size_t>(std::floor(static_cast<double>(end - begin) * options.test_part + 0.5)),
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
  found.splits.insert(found.splits.begin() + 1, std::move(test));
}

}  // namespace convoy::importers
