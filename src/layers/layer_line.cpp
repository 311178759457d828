#include "convoy/layers/layer_line.hpp"

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::nn {
namespace {

std::string bounds(std::int64_t least, std::int64_t most) {
  return "an integer from " + std::to_string(least) + " to " + std::to_string(most);
}

}  // namespace

LayerLine::LayerLine(LayerText source, std::uint64_t ordinal)
    : source_(std::move(source)), ordinal_(ordinal) {
  std::vector<std::string> words = split_words(source_.text);
  if (words.empty()) fail("is empty (write a keyword, such as 'dense 10')");
  keyword_ = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    if (equals == std::string::npos) {
      if (!options_.empty())
        fail("'" + words[i] + "' follows an option (positional values come before key=value)");
      positionals_.push_back(words[i]);
    } else if (!options_.emplace(words[i].substr(0, equals), words[i].substr(equals + 1)).second) {
      fail("option '" + words[i].substr(0, equals) + "' is given twice");
    }
  }
}

void LayerLine::fail(const std::string& problem) const {
  throw ConfigError(source_.origin + ": layer '" + source_.text + "': " + problem);
}

std::string LayerLine::next_positional(std::string_view what) {
  if (next_ == positionals_.size()) fail(std::string(what) + " is missing");
  return positionals_[next_++];
}

std::optional<std::string> LayerLine::take(std::string_view key) {
  const auto found = options_.find(key);
  if (found == options_.end()) return std::nullopt;
  std::string value = found->second;
  options_.erase(found);
  return value;
}

std::int64_t LayerLine::take_integer(std::string_view what, std::int64_t least, std::int64_t most) {
  const std::string word = next_positional(what);
  const auto value = parse_integer(word);
  if (!value || *value < least || *value > most)
    fail(std::string(what) + " '" + word + "' is wrong (it takes " + bounds(least, most) + ")");
  return *value;
}

double LayerLine::take_number(std::string_view what, double least, double below) {
  const std::string word = next_positional(what);
  const auto value = parse_number(word);
  if (!value || !(*value >= least && *value < below))
    fail(std::string(what) + " '" + word + "' is wrong (it takes a number from " + shortest(least) +
         " to below " + shortest(below) + ")");
  return *value;
}

std::pair<std::int64_t, std::int64_t> LayerLine::take_size(std::string_view what) {
  constexpr std::int64_t kMost = 65535;
  const std::string word = next_positional(what);
  const auto pair = parse_pair(word);
  if (!pair || pair->first < 1 || pair->second < 1 || pair->first > kMost || pair->second > kMost)
    fail(std::string(what) + " '" + word + "' is wrong (it takes height x width, such as 3x3)");
  return *pair;
}

std::int64_t LayerLine::take_option(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) {
  const auto word = take(key);
  if (!word) return otherwise;
  const auto value = parse_integer(*word);
  if (!value || *value < least || *value > most)
    fail("option " + std::string(key) + "='" + *word + "' is wrong (it takes " + bounds(least, most) + ")");
  return *value;
}

std::pair<std::int64_t, std::int64_t> LayerLine::take_option_pair(
    std::string_view key, std::pair<std::int64_t, std::int64_t> otherwise, std::int64_t least,
    std::int64_t most) {
  const auto word = take(key);
  if (!word) return otherwise;
  auto pair = parse_pair(*word);
  if (const auto both = parse_integer(*word)) pair = {*both, *both};
  if (!pair || pair->first < least || pair->second < least || pair->first > most || pair->second > most)
    fail("option " + std::string(key) + "='" + *word + "' is wrong (it takes " + bounds(least, most) +
         ", or two as height x width)");
  return *pair;
}

double LayerLine::take_option_number(std::string_view key, double otherwise, double least, double most) {
  const auto word = take(key);
  if (!word) return otherwise;
  const auto value = parse_number(*word);
  if (!value || *value < least || *value > most)
    fail("option " + std::string(key) + "='" + *word + "' is wrong (it takes a number from " +
         shortest(least) + " to " + shortest(most) + ")");
  return *value;
}

bool LayerLine::take_option_yes_no(std::string_view key, bool otherwise) {
  const auto word = take(key);
  if (!word) return otherwise;
  const auto value = parse_yes_no(*word);
  if (!value) fail("option " + std::string(key) + "='" + *word + "' is wrong (it takes yes or no)");
  return *value;
}

std::optional<std::string> LayerLine::take_option_text(std::string_view key) {
  return take(key);
}

std::size_t LayerLine::take_option_choice(std::string_view key, const std::vector<std::string_view>& names,
                                          std::size_t otherwise) {
  const auto word = take(key);
  if (!word) return otherwise;
  const auto found = std::ranges::find(names, *word);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string known;
  for (const std::string_view name : names) known.append(known.empty() ? "" : ", ").append(name);
  fail("option " + std::string(key) + "='" + *word + "' is wrong (it takes one of " + known + ")");
}

void LayerLine::finish(std::string_view usage) {
  if (next_ < positionals_.size())
    fail("'" + positionals_[next_] + "' is one word too many (right: " + std::string(usage) + ")");
  if (!options_.empty())
    fail("unknown option '" + options_.begin()->first + "' (right: " + std::string(usage) + ")");
}

}  // namespace convoy::nn
