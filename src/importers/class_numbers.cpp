#include "class_numbers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::importers {
namespace {

constexpr std::int64_t kMostClasses = std::int64_t{1} << 20;

std::vector<std::int64_t> distinct(std::vector<std::int64_t> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// The first place of a value that `is_wrong`.
template <class Wrong>
void require(std::span<const SplitLabels> splits, const Wrong& is_wrong, const std::string& right) {
  for (const SplitLabels& split : splits) {
    const auto found = std::ranges::find_if(split.labels, is_wrong);
    if (found != split.labels.end())
      throw DataError(fmt::format("wrong label in {} (number {} is {}); {}", split.where,
                                  found - split.labels.begin(), *found, right));
  }
}

std::vector<std::int64_t> values_of(std::span<const SplitLabels> splits, LabelRules::Values rule) {
  std::vector<std::int64_t> values = distinct(splits.front().labels);
  if (rule == LabelRules::Values::kSorted) return values;
  if (rule == LabelRules::Values::kAuto) {
    const std::int64_t begin = values.front() == 1 ? 1 : 0;
    const auto gap = std::ranges::find_if(
        values, [&, next = begin](std::int64_t value) mutable { return value != next++; });
    if (gap == values.end()) return values;
    const std::string problem = *gap == values.front() ? fmt::format("the smallest is {}", *gap)
                                                       : fmt::format("{} follows {}", *gap, *(gap - 1));
    throw DataError(fmt::format(
        "the labels of {} are no class numbers from 0 or 1 on ({}); --label-values sorted numbers "
        "the {} in ascending order, --label-values as-is leaves numbers without samples",
        splits.front().where, problem, counted(static_cast<std::int64_t>(values.size()), "value")));
  }
  std::int64_t most = 0;
  for (const SplitLabels& split : splits)
    for (const std::int64_t label : split.labels) most = std::max(most, label);
  require(
      splits, [](std::int64_t label) { return label < 0 || label >= kMostClasses; },
      fmt::format("the number of a class is from 0 to {}", grouped(kMostClasses - 1)));
  std::vector<std::int64_t> all(static_cast<std::size_t>(most) + 1);
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

}  // namespace

std::vector<std::int64_t> number_classes(std::span<SplitLabels> splits, const LabelRules& rules) {
  if (rules.zero)
    for (SplitLabels& split : splits) std::ranges::replace(split.labels, *rules.zero, std::int64_t{0});
  std::vector<std::int64_t> values = values_of(splits, rules.values);
  require(
      splits, [&](std::int64_t label) { return !std::ranges::binary_search(values, label); },
      fmt::format("the classes are those of {}, {} to {}", splits.front().where, values.front(),
                  values.back()));
  for (SplitLabels& split : splits)
    for (std::int64_t& label : split.labels) label = std::ranges::lower_bound(values, label) - values.begin();
  return values;
}

std::vector<std::string> names_of(const std::vector<std::int64_t>& values) {
  std::vector<std::string> names;
  for (const std::int64_t value : values) names.push_back(std::to_string(value));
  return names;
}

}  // namespace convoy::importers
