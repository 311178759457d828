#include "split_classes.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "convoy/core/text.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::data {
namespace {

std::string words_of(const std::string& split) {
  return split == names::kTrain ? "training" : split;
}

/// The split whose labels seem to count from 1, by its name; empty if none does.
std::string counting_from_one(const DatasetLayout& layout) {
  const SplitLayout* train = layout.find(names::kTrain);
  if (train == nullptr || train->labels.empty()) return {};
  const auto own = std::ranges::minmax(train->labels);
  for (const SplitLayout& split : layout.splits) {
    if (split.labels.empty()) continue;
    const auto other = std::ranges::minmax(split.labels);
    if (own.min == 0 && other.min == 1 && other.max == own.max + 1) return split.name;
    if (own.min == 1 && other.min == 0 && own.max == other.max + 1) return train->name;
  }
  return {};
}

std::string name_of(const DatasetLayout& layout, std::int64_t k) {
  const auto place = static_cast<std::size_t>(k);
  if (place >= layout.class_names.size()) return std::to_string(k);
  return layout.class_names[place].empty() ? "''" : layout.class_names[place];
}

/// "class 4 occurs", "classes 4, 5 and 12 more occur".
std::string words_of(const DatasetLayout& layout, const std::vector<std::int64_t>& classes) {
  constexpr std::size_t kMost = 10;
  std::vector<std::string> words;
  for (const std::int64_t k : classes)
    if (words.size() < kMost) words.push_back(name_of(layout, k));
  if (classes.size() == 1) return fmt::format("class {} occurs", words.front());
  return fmt::format("classes {}{} occur", join(words, ", "),
                     classes.size() > kMost ? fmt::format(" and {} more", classes.size() - kMost) : "");
}

/// Of each class that no training sample has, the splits that have it.
std::map<std::vector<std::string>, std::vector<std::int64_t>> classes_of_others(const DatasetLayout& layout) {
  std::vector<std::vector<std::string>> splits_of(static_cast<std::size_t>(layout.classes));
  for (const SplitLayout& split : layout.splits) {
    std::vector<bool> has(splits_of.size());
    for (const std::int64_t label : split.labels) has[static_cast<std::size_t>(label)] = true;
    for (std::size_t k = 0; k < has.size(); ++k)
      if (has[k]) splits_of[k].push_back(split.name);
  }
  std::map<std::vector<std::string>, std::vector<std::int64_t>> found;
  for (std::size_t k = 0; k < splits_of.size(); ++k)
    if (!splits_of[k].empty() && std::ranges::find(splits_of[k], names::kTrain) == splits_of[k].end())
      found[splits_of[k]].push_back(static_cast<std::int64_t>(k));
  return found;
}

}  // namespace

std::string hint_on_first_labels(const DatasetLayout& layout) {
  const std::string split = counting_from_one(layout);
  return split.empty() ? "" : fmt::format(" (labels of the {} split count from 1?)", words_of(split));
}

void warn_of_unlike_splits(DatasetLayout& layout, const std::string& file, bool are_numbers) {
  const SplitLayout* train = layout.find(names::kTrain);
  if (train == nullptr || train->labels.empty()) return;
  const std::string from_one = are_numbers ? counting_from_one(layout) : "";
  for (const auto& [splits, classes] : classes_of_others(layout)) {
    const bool is_there = splits == std::vector{from_one};
    layout.warnings.push_back(fmt::format("{}: {} in the {} {} only{}", file, words_of(layout, classes),
                                          join(splits, " and "), splits.size() == 1 ? "split" : "splits",
                                          is_there ? " (labels there count from 1?)"
                                          : from_one == names::kTrain
                                              ? " (labels of the training split count from 1?)"
                                              : ""));
  }
  const auto [least, most] = std::ranges::minmax(train->labels);
  if (least == most)
    layout.warnings.push_back(fmt::format(
        "{}: all labels of the training split are {}: nothing to tell apart", file, name_of(layout, least)));
}

}  // namespace convoy::data
