// From labels to classes 0, 1, …

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "labels.hpp"
#include "split_classes.hpp"
#include "wrong.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kMostClasses = std::int64_t{1} << 20;

/// Where sample `sample` of `split` has its label, for messages.
struct Place {
  const AnswerPiece& piece;
  std::int64_t sample;  ///< in the file
};
Place place_of(const SplitLayout& split, std::int64_t sample) {
  const std::int64_t row = split.row(sample);
  const auto piece =
      std::ranges::find_if(split.answers, [&](const AnswerPiece& each) { return row < each.rows.end; });
  return {*piece, row - piece->rows.begin + piece->first_row};
}

/// A value among the labels of all splits.
struct Occurrence {
  std::int64_t value;
  std::int64_t samples;
};
std::vector<Occurrence> occurrences_in(const DatasetLayout& layout) {
  std::vector<std::int64_t> all;
  for (const SplitLayout& split : layout.splits)
    all.insert(all.end(), split.labels.begin(), split.labels.end());
  std::ranges::sort(all);
  std::vector<Occurrence> found;
  for (const std::int64_t value : all) {
    if (found.empty() || found.back().value != value) found.push_back({value, 0});
    ++found.back().samples;
  }
  return found;
}

/// Names the first sample that has the label of `of`, which is text if `name` is given.
[[noreturn]] void throw_label(const DatasetLayout& layout, const Occurrence& of, const std::string& right,
                              const std::string& name = {}) {
  std::int64_t samples = 0;
  for (const SplitLayout& split : layout.splits) samples += static_cast<std::int64_t>(split.labels.size());
  for (const SplitLayout& split : layout.splits) {
    const auto found = std::ranges::find(split.labels, of.value);
    if (found == split.labels.end()) continue;
    const Place place = place_of(split, found - split.labels.begin());
    throw DataError(fmt::format("{} label in data set {} ({} holds {} for sample {}, {} of {} in all); {}",
                                name.empty() ? "wrong" : "unknown", place.piece.file,
                                text_of(place.piece.part), name.empty() ? std::to_string(of.value) : name,
                                place.sample,
                                of.samples == 1 ? "the only one" : "the first of " + grouped(of.samples),
                                counted(samples, "sample"), right));
  }
  throw DataError("wrong label; " + right);
}

std::string missing_values(std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("none is {}", first) : fmt::format("none is {} to {}", first, last);
}

/// The number of classes where labels alone tell it: 1 + the largest. `is_strict`: all of 0, 1, … have to
/// occur.
std::int64_t counted_classes(const DatasetLayout& layout, const std::vector<Occurrence>& found,
                             bool is_strict) {
  const auto values = static_cast<std::int64_t>(found.size());
  const std::string sorted = values == 1
                                 ? std::string("data.labels = /PATH says where labels lie")
                                 : fmt::format("data.label-values = sorted numbers the {} that occur from 0",
                                               counted(values, "value"));
  if (found.front().value < 0)
    throw_label(layout, found.front(),
                "labels count from 0; " + sorted + ", data.train-index leaves samples out");
  if (found.back().value >= kMostClasses)
    throw_label(layout, found.back(), "labels count from 0 to the number of classes; " + sorted);
  if (!is_strict) return found.back().value + 1;
  if (values == 1)
    throw_label(layout, found.front(),
                "all labels are the same, so there is nothing to tell apart; data.classes = K says how many "
                "classes there are, " +
                    sorted);
  if (found.front().value == 1 && found.back().value == values)
    throw_label(layout, found.front(), "labels count from 1 here, they should from 0: " + sorted);
  std::int64_t expected = 0;
  for (const Occurrence& each : found) {
    if (each.value != expected)
      throw_label(layout, each,
                  fmt::format("{}: labels should leave no gap; {}, data.classes = {} keeps them as they are, "
                              "data.train-index leaves samples out",
                              missing_values(expected, each.value - 1), sorted, found.back().value + 1));
    ++expected;
  }
  return expected;
}

/// Class names that `options` state: a list, or a data set of the first file.
std::vector<std::string> stated_names(const Options& options, const DatasetLayout& layout) {
  if (options.class_names.empty()) return {};
  std::vector<std::string> names;
  if (!options.class_names.starts_with('/')) {
    std::string_view rest = options.class_names;
    while (true) {
      const auto comma = rest.find(',');
      names.emplace_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) return names;
      rest.remove_prefix(comma + 1);
    }
  }
  const io::File file = io::File::open(layout.splits.front().pieces.front().file);
  const io::Part part = file.part(options.class_names);
  const io::DatasetInfo info = file.info(part);
  if (count(info.dims) > kMostClasses)
    throw_wrong("wrong class names", file, text_of(part), "is [" + to_string(info.dims) + "]",
                "data.class-names should be one name per class");
  if (info.type == io::ElementType::kString) return file.read_strings(part);
  if (!io::is_integer(info.type))
    throw_wrong("wrong type", file, text_of(part), "is " + std::string(io::element_name(info.type)),
                "data.class-names should be strings (h5py.string_dtype()), or integers");
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count(info.dims)));
  file.read_rows<std::int64_t>(part, {0, info.dims.empty() ? 1 : info.dims.front()}, numbers);
  require_not_clipped(file, part, info, 0, numbers);
  for (const std::int64_t number : numbers) names.push_back(std::to_string(number));
  return names;
}

/// Warns of classes without samples, unless `options` state how many classes there are.
void warn_of_empty_classes(DatasetLayout& layout, const Options& options,
                           const std::vector<Occurrence>& found) {
  const std::int64_t empty = layout.classes - static_cast<std::int64_t>(found.size());
  if (empty <= 0 || options.train.images.empty() || options.classes > 0 || options.known_classes > 0) return;
  std::int64_t first = 0;
  while (std::ranges::find(found, first, &Occurrence::value) != found.end()) ++first;
  const auto names = static_cast<std::int64_t>(layout.class_names.size());
  layout.warnings.push_back(fmt::format(
      "{}: {} of {} have no sample, the first of them is {}", options.file, grouped(empty),
      counted(layout.classes, "class"),
      first < names ? layout.class_names[static_cast<std::size_t>(first)] : std::to_string(first)));
}

/// Replaces each label by its place in `values`, ascending.
void number_values(DatasetLayout& layout, const std::vector<std::int64_t>& values,
                   const std::vector<Occurrence>& found) {
  for (const Occurrence& each : found)
    if (!std::ranges::binary_search(values, each.value))
      throw_label(
          layout, each,
          "the network was trained on labels " + (values.size() > 8 ? std::string("without it") : [&] {
            std::vector<std::string> texts;
            for (const std::int64_t value : values) texts.push_back(std::to_string(value));
            return join(texts, ", ");
          }()));
  for (SplitLayout& split : layout.splits)
    for (std::int64_t& label : split.labels) label = std::ranges::lower_bound(values, label) - values.begin();
}

/// Throws DataError for a label outside of `stated` classes.
void require_stated(const DatasetLayout& layout, const Options& options, const std::vector<Occurrence>& found,
                    std::int64_t stated) {
  const bool has_names = options.classes == 0 && !layout.class_names.empty();
  for (const Occurrence& each : found)
    if (each.value < 0 || each.value >= stated)
      throw_label(layout, each,
                  fmt::format("there {} {}, so labels {}{}", stated == 1 ? "is" : "are",
                              counted(stated, has_names ? "class name" : "class"),
                              stated == 1 ? "are 0" : fmt::format("lie between 0 and {}", stated - 1),
                              hint_on_first_labels(layout)));
}

}  // namespace

void LabelReader::number_names(DatasetLayout& layout) const {
  std::vector<std::string> names = options_.known_names;
  if (names.empty()) names = stated_names(options_, layout);
  if (names.empty())
    for (const auto& [name, number] : numbers_) names.push_back(name);  // std::map sorts by bytes
  std::vector<std::int64_t> class_of(numbers_.size());
  for (const auto& [name, number] : numbers_) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      Occurrence unknown{.value = number, .samples = 0};
      for (const SplitLayout& split : layout.splits)
        unknown.samples += std::ranges::count(split.labels, number);
      if (unknown.samples == 0) continue;  // of samples that are left out
      throw_label(
          layout, unknown,
          fmt::format("it is none of the {}: {}",
                      counted(static_cast<std::int64_t>(names.size()), "class name"), join(names, ", ")),
          '\'' + name + '\'');
    }
    class_of[static_cast<std::size_t>(number)] = found - names.begin();
  }
  for (SplitLayout& split : layout.splits)
    for (std::int64_t& label : split.labels) label = class_of[static_cast<std::size_t>(label)];
  layout.class_names = std::move(names);
}

/// The values that occur, or those of a trained network, become the classes.
void LabelReader::number_sorted(DatasetLayout& layout) const {
  const std::vector<Occurrence> found = occurrences_in(layout);
  std::vector<std::int64_t> values = options_.known_values;
  if (values.empty())
    for (const Occurrence& each : found) values.push_back(each.value);
  number_values(layout, values, found);
  const auto all_names = static_cast<std::int64_t>(layout.class_names.size());
  const bool names_values = all_names > values.back() && values.front() >= 0;
  if (all_names != static_cast<std::int64_t>(values.size())) {
    std::vector<std::string> names;
    for (const std::int64_t value : values)
      names.push_back(names_values ? layout.class_names[static_cast<std::size_t>(value)]
                                   : std::to_string(value));
    layout.class_names = std::move(names);
  }
  layout.label_values = std::move(values);
}

void LabelReader::number_classes(DatasetLayout& layout) const {
  if (form_ == Form::kUnknown) return;
  if (form_ == Form::kNames) {
    number_names(layout);
  } else if (std::vector<std::string> names = stated_names(options_, layout); !names.empty()) {
    layout.class_names = std::move(names);
  }
  if (form_ == Form::kNumbers && options_.label_values == LabelValues::kSorted) number_sorted(layout);
  const auto names = static_cast<std::int64_t>(layout.class_names.size());
  if (options_.classes > 0 && names > 0 && names != options_.classes)
    throw ConfigError(fmt::format("data.classes = {} does not fit the {} of {} ({}); leave it out",
                                  options_.classes, counted(names, "class name"), options_.file,
                                  join(layout.class_names, ", ")));
  const std::int64_t stated = options_.classes > 0 ? options_.classes
                              : names > 0          ? names
                              : width_ > 0         ? width_
                                                   : options_.known_classes;
  const std::vector<Occurrence> found = occurrences_in(layout);
  if (stated > 0) require_stated(layout, options_, found, stated);
  layout.classes = stated > 0 ? stated : counted_classes(layout, found, !options_.train.images.empty());
  warn_of_empty_classes(layout, options_, found);
  if (options_.known_classes == 0) warn_of_unlike_splits(layout, options_.file, form_ == Form::kNumbers);
}

}  // namespace convoy::data
