#pragma once
// Makers of the key table's entries, one per kind of key. Private to the config room.

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "convoy/config/keys.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/augment.hpp"

namespace convoy::config {

// Each maker turns a field of Options (a generic lambda, for reading and writing) into the key's parser,
// printer and description of allowed values.

struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

template <class Field>
Key integer_key(std::string name, Field field, Bounds bounds, std::string help) {
  std::string allowed = "an integer from " + grouped(bounds.least) + " to " + grouped(bounds.most);
  if (bounds.most == Bounds{}.most)
    allowed = "an integer of " + grouped(bounds.least) + " or more, below 2^63";
  return {.name = std::move(name),
          .value_name = "N",
          .allowed = std::move(allowed),
          .help = std::move(help),
          .read =
              [=](Options& options, const std::string& value, const std::string&) {
                const auto number = parse_integer(value);
                if (!number || *number < bounds.least || *number > bounds.most) return false;
                field(options) = static_cast<std::remove_cvref_t<decltype(field(options))>>(*number);
                return true;
              },
          .write = [=](const Options& options) { return std::vector{std::to_string(field(options))}; }};
}

inline std::vector<std::string> texts_of(double number) {
  return {shortest(number)};
}
inline std::vector<std::string> texts_of(const std::optional<double>& number) {
  return number ? texts_of(*number) : std::vector<std::string>{};
}

/// Numbers, or numbers that may be absent, for which `holds` is true; `allowed` is the same condition in
/// words.
template <class Field>
Key number_key(std::string name, Field field, bool (*holds)(double), std::string allowed, std::string help) {
  return {.name = std::move(name),
          .value_name = "X",
          .allowed = std::move(allowed),
          .help = std::move(help),
          .read =
              [=](Options& options, const std::string& value, const std::string&) {
                const auto number = parse_number(value);
                if (!number || !holds(*number)) return false;
                field(options) = *number;
                return true;
              },
          .write = [=](const Options& options) { return texts_of(field(options)); }};
}

template <class Field>
Key yes_no_key(std::string name, Field field, std::string help) {
  return {
      .name = std::move(name),
      .value_name = "yes|no",
      .allowed = "yes or no",
      .help = std::move(help),
      .read =
          [=](Options& options, const std::string& value, const std::string&) {
            const auto answer = parse_yes_no(value);
            if (answer) field(options) = *answer;
            return answer.has_value();
          },
      .write =
          [=](const Options& options) { return std::vector<std::string>{field(options) ? "yes" : "no"}; }};
}

/// An enumeration whose enumerators count from 0 in the order of `names`.
template <class Field>
Key choice_key(std::string name, Field field, std::vector<std::string_view> names, std::string help,
               std::string advice = {}) {
  const std::vector<std::string> texts(names.begin(), names.end());
  return {.name = std::move(name),
          .value_name = "NAME",
          .allowed = (texts.size() > 1 ? "one of " : "") + join(texts, ", "),
          .help = std::move(help),
          .advice = std::move(advice),
          .read =
              [=](Options& options, const std::string& value, const std::string&) {
                const auto found = std::find_if(texts.begin(), texts.end(), [&](const std::string& text) {
                  return in_lower_case(text) == in_lower_case(value);
                });
                if (found == texts.end()) return false;
                field(options) =
                    static_cast<std::remove_cvref_t<decltype(field(options))>>(found - texts.begin());
                return true;
              },
          .write =
              [=](const Options& options) {
                return std::vector{texts.at(static_cast<std::size_t>(field(options)))};
              }};
}

/// A key with only one allowed value at present: accepts `word`, stores nothing.
inline Key only_key(std::string name, std::string word, std::string remark, std::string help) {
  return {.name = std::move(name),
          .value_name = "NAME",
          .allowed = word + remark,
          .help = std::move(help),
          .read = [=](Options&, const std::string& value, const std::string&) { return value == word; },
          .write = [=](const Options&) { return std::vector{word}; }};
}

/// "~/x", "$NAME/x" and "${NAME}/x" with the value of HOME or NAME (as it is if that is not set), and without
/// quotes around it. A shell does that on the command line, but nobody in an INI file.
inline std::string expanded(std::string path) {
  const bool is_quoted = path.size() > 1 && (path.front() == '"' || path.front() == '\'') &&
                         path.find(path.front(), 1) == path.size() - 1;
  if (is_quoted) path = path.substr(1, path.size() - 2);
  const std::size_t end = std::min(path.find('/'), path.size());
  std::string name = path.substr(0, end);
  if (name == "~") {
    name = "HOME";
  } else if (name.starts_with("${") && name.ends_with("}")) {
    name = name.substr(2, name.size() - 3);
  } else if (name.starts_with("$")) {
    name = name.substr(1);
  } else {
    return path;
  }
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? path : value + path.substr(end);
}

template <class Field>
Key path_key(std::string name, Field field, std::string value_name, std::string help) {
  return {.name = std::move(name),
          .value_name = std::move(value_name),
          .allowed = "a path",
          .help = std::move(help),
          .need = Need::kForTraining,
          .read =
              [=](Options& options, const std::string& value, const std::string&) {
                field(options) = expanded(value);
                return true;
              },
          .write = [=](const Options& options) { return std::vector{field(options)}; }};
}

/// Marks the key as Effect::kSpeed: its value may change when a run is resumed.
inline Key speed(Key key) {
  key.effect = Effect::kSpeed;
  return key;
}

/// Marks the key as Effect::kPlace: its value may change when a run is resumed.
inline Key place(Key key) {
  key.effect = Effect::kPlace;
  return key;
}

inline Key optional(Key key) {
  key.need = Need::kDefault;
  return key;
}

inline Key required(Key key) {
  key.need = Need::kAlways;
  return key;
}

template <class Get>
Key mebibytes_key(const std::string& name, Get get, const std::string& help) {
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  constexpr std::int64_t kMost = std::int64_t{1} << 20;
  return {
      .name = name,
      .value_name = "N",
      .allowed = "an integer from 1 to " + grouped(kMost),
      .help = help,
      .read =
          [get](Options& options, const std::string& value, const std::string&) {
            const auto number = parse_integer(value);
            if (!number || *number < 1 || *number > kMost) return false;
            get(options) = *number * kMebibyte;
            return true;
          },
      .write =
          [get](const Options& options) { return std::vector{std::to_string(get(options) / kMebibyte)}; }};
}

template <class Get>
Key duration_key(const std::string& name, Get get, const std::string& help) {
  return {.name = name,
          .value_name = "TIME",
          .allowed = "a time such as 3h50m, 90s, 1d or 1-12:00:00, or 0 for no limit",
          .help = help,
          .read =
              [get](Options& options, const std::string& value, const std::string&) {
                const auto seconds = parse_duration(value);
                if (seconds) get(options) = *seconds;
                return seconds.has_value();
              },
          .write = [get](const Options& options) { return std::vector{std::to_string(get(options))}; }};
}

inline bool not_negative(double x) {
  return x >= 0;
}
inline bool usable_rate(double x) {
  return x > 0 && x <= 1e30;
}  // used as float, whose maximum is 3e38

}  // namespace convoy::config
