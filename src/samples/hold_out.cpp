#include "hold_out.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "convoy/core/text.hpp"
#include "convoy/samples/names.hpp"
#include "wrong.hpp"

namespace convoy::data {
namespace {

/// To which split each stored image belongs: an index of kSplits, or kNone.
using Membership = std::vector<std::uint8_t>;
constexpr std::uint8_t kTrainPart = 0;
constexpr std::uint8_t kValidationPart = 1;
constexpr std::uint8_t kTestPart = 2;
constexpr std::uint8_t kNone = 3;
constexpr std::array<const char*, 3> kSplits{names::kTrain, names::kValidation, names::kTest};

constexpr std::string_view kSpellings = "0, 1, 2 or train, validation, test";

std::uint8_t part_of_name(std::string_view name) {
  const std::string_view split = names::split_of_spelling(name);
  const auto found = std::ranges::find(kSplits, split);
  return static_cast<std::uint8_t>(found - kSplits.begin());  // kNone if it is none
}

/// The column data.split of one file.
Membership read_column(const io::File& file, const std::string& text, std::int64_t samples) {
  const io::Part part = file.part(text);
  const io::DatasetInfo info = file.info(part);
  require_stored(file, part, info);
  if (count(info.dims) != samples || info.dims.empty())
    throw_wrong(
        "counts differ", file, text_of(part), "is [" + to_string(info.dims) + "]",
        fmt::format("data.split should be one of {} for each of {}", kSpellings, counted(samples, "image")));
  Membership parts;
  std::string first_wrong;
  const auto keep = [&](std::uint8_t found, const std::string& value) {
    if (found == kNone && first_wrong.empty())
      first_wrong = fmt::format("holds {} for sample {}", value, parts.size());
    parts.push_back(found);
  };
  const auto require_right = [&] {
    const auto wrong = std::ranges::count(parts, kNone);
    if (wrong > 0)
      throw_wrong("wrong split", file, text_of(part),
                  fmt::format("{}, {} of {}", first_wrong,
                              wrong == 1 ? "the only wrong one"
                                         : fmt::format("the first of {} wrong ones", grouped(wrong)),
                              counted(samples, "sample")),
                  fmt::format("it should be {}", kSpellings));
  };
  if (info.type == io::ElementType::kString) {
    for (const std::string& name : file.read_strings(part)) keep(part_of_name(name), '\'' + name + '\'');
    require_right();
    return parts;
  }
  std::vector<double> values(static_cast<std::size_t>(samples));
  file.read_rows<double>(part, {0, info.dims.front()}, values);
  for (const double value : values)
    keep(value == 0 || value == 1 || value == 2 ? static_cast<std::uint8_t>(value) : kNone, shortest(value));
  require_right();
  return parts;
}

Membership by_column(const SplitLayout& train, const std::string& text) {
  Membership parts;
  for (const Piece& piece : train.pieces) {
    const Membership here = read_column(io::File::open(piece.file), text, piece.rows.size());
    parts.insert(parts.end(), here.begin(), here.end());
  }
  return parts;
}

/// The numbers of samples in a list: integers, or a mask [samples] of bool.
std::vector<std::int64_t> read_index(const io::File& file, const std::string& text, std::int64_t samples) {
  const io::Part part = file.part(text);
  const io::DatasetInfo info = file.info(part);
  require_stored(file, part, info);
  if (!io::is_integer(info.type) || info.dims.empty())
    throw_wrong("wrong index", file, text_of(part),
                fmt::format("is {} [{}]", io::element_name(info.type), to_string(info.dims)),
                "it should be a list of sample numbers, or a bool for each sample");
  std::vector<std::int64_t> values(static_cast<std::size_t>(count(info.dims)));
  file.read_rows<std::int64_t>(part, {0, info.dims.front()}, values);
  require_not_clipped(file, part, info, 0, values);
  if (info.type == io::ElementType::kBool) {
    if (static_cast<std::int64_t>(values.size()) != samples)
      throw_wrong("counts differ", file, text_of(part), "is [" + to_string(info.dims) + "]",
                  "the data set holds " + counted(samples, "image"));
    std::vector<std::int64_t> chosen;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i] != 0) chosen.push_back(static_cast<std::int64_t>(i));
    return chosen;
  }
  for (const std::int64_t value : values)
    if (value < 0 || value >= samples)
      throw_wrong("wrong index", file, text_of(part), fmt::format("holds {}", value),
                  fmt::format("samples are numbered from 0 to {}", samples - 1));
  return values;
}

Membership by_index(const SplitLayout& train, const HeldOut& held_out) {
  if (train.pieces.size() > 1)
    throw ConfigError(
        fmt::format("data.train-index, data.validation-index and data.test-index need one file ({} "
                    "match data.file); data.split takes a column of each file",
                    counted(static_cast<std::int64_t>(train.pieces.size()), "file")));
  const io::File file = io::File::open(train.pieces.front().file);
  const bool has_rest = held_out.train_index.empty();
  Membership parts(static_cast<std::size_t>(train.samples), kNone);
  for (const auto& [text, number] : {std::pair{&held_out.train_index, kTrainPart},
                                     {&held_out.validation_index, kValidationPart},
                                     {&held_out.test_index, kTestPart}}) {
    if (text->empty()) continue;
    for (const std::int64_t sample : read_index(file, *text, train.samples)) {
      std::uint8_t& of = parts[static_cast<std::size_t>(sample)];
      if (of != kNone && of != number)
        throw_wrong("wrong index", file, *text,
                    fmt::format("holds sample {}, which another index has too", sample),
                    "a sample belongs to one split");
      of = number;
    }
  }
  if (has_rest) std::ranges::replace(parts, kNone, kTrainPart);
  return parts;
}

/// Moves a part of each class from training to validation: the samples with the smallest random numbers.
void hold_out_part(const SplitLayout& train, const HeldOut& held_out, Membership& parts) {
  struct Candidate {
    std::uint64_t number;  // random
    std::int64_t sample;
  };
  std::map<std::int64_t, std::vector<Candidate>> of_class;
  const std::uint64_t key = random_key(held_out.validation_seed, RandomPurpose::kHeldOut);
  for (std::int64_t sample = 0; sample < train.samples; ++sample) {
    if (parts[static_cast<std::size_t>(sample)] != kTrainPart) continue;
    const std::int64_t label = train.labels.empty() ? 0 : train.labels[static_cast<std::size_t>(sample)];
    const auto words = philox(key, static_cast<std::uint64_t>(sample), 0);
    of_class[label].push_back({std::uint64_t{words[0]} << 32 | words[1], sample});
  }
  for (auto& [label, candidates] : of_class) {
    const auto wanted = static_cast<std::size_t>(
        std::floor(held_out.validation_part * static_cast<double>(candidates.size()) + 0.5));
    // At least one of each side, if there are two.
    const std::size_t chosen =
        candidates.size() < 2 ? 0 : std::clamp<std::size_t>(wanted, 1, candidates.size() - 1);
    std::ranges::sort(candidates, {},
                      [](const Candidate& each) { return std::pair(each.number, each.sample); });
    for (std::size_t i = 0; i < chosen; ++i)
      parts[static_cast<std::size_t>(candidates[i].sample)] = kValidationPart;
  }
}

/// The samples of `whole` that belong to `part`.
SplitLayout part_of(const SplitLayout& whole, const Membership& parts, std::uint8_t part) {
  SplitLayout split = whole;
  split.name = kSplits.at(part);
  split.labels = {};
  for (std::int64_t sample = 0; sample < whole.samples; ++sample) {
    if (parts[static_cast<std::size_t>(sample)] != part) continue;
    split.rows.push_back(sample);
    if (!whole.labels.empty()) split.labels.push_back(whole.labels[static_cast<std::size_t>(sample)]);
  }
  split.samples = static_cast<std::int64_t>(split.rows.size());
  return split;
}

bool has_index(const HeldOut& held_out) {
  return !held_out.train_index.empty() || !held_out.validation_index.empty() || !held_out.test_index.empty();
}

/// Throws ConfigError if the options contradict each other.
void require_one_way(const HeldOut& held_out) {
  if (has_index(held_out) && !held_out.split.empty())
    throw ConfigError(
        "data.split and data.train-index, data.validation-index or data.test-index are two ways "
        "to say the same; keep one");
}

}  // namespace

void hold_out(DatasetLayout& layout, const Options& options) {
  const HeldOut& held_out = options.held_out;
  require_one_way(held_out);
  const SplitLayout* train = layout.find(names::kTrain);
  if (train == nullptr || (!has_index(held_out) && held_out.split.empty() && held_out.validation_part == 0))
    return;
  Membership parts(static_cast<std::size_t>(train->samples), kTrainPart);
  if (!held_out.split.empty()) parts = by_column(*train, held_out.split);
  if (has_index(held_out)) parts = by_index(*train, held_out);
  if (held_out.validation_part > 0) {
    if (std::ranges::count(parts, kValidationPart) > 0)
      throw ConfigError(
          "data.validation-part holds out samples where others are held out already; leave it out");
    hold_out_part(*train, held_out, parts);
  }
  if (const auto rest = std::ranges::count(parts, kNone); rest > 0)
    layout.warnings.push_back(
        fmt::format("{}: {} of {} are in none of data.train-index, "
                    "data.validation-index and data.test-index, and not used",
                    options.file, grouped(rest), counted(train->samples, "sample")));
  const SplitLayout whole = *train;
  std::erase_if(layout.splits, [](const SplitLayout& split) { return split.name == names::kTrain; });
  std::vector<SplitLayout> divided;
  for (const std::uint8_t part : {kTrainPart, kTestPart, kValidationPart}) {
    if (std::ranges::count(parts, part) == 0) continue;
    if (layout.find(kSplits.at(part)) != nullptr)
      throw ConfigError(
          fmt::format("data set {} has a {} split beside the one that is held out of its training "
                      "split; leave one out",
                      options.file, kSplits.at(part)));
    divided.push_back(part_of(whole, parts, part));
  }
  if (divided.empty() || divided.front().name != names::kTrain)
    throw DataError("no samples are left to train in data set " + options.file + "; all are held out");
  layout.splits.insert(layout.splits.begin(), divided.begin(), divided.end());
}

}  // namespace convoy::data
