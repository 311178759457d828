#include "convoy/core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace convoy {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number value{};
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with("+-")) return std::nullopt;
  return parse_whole<std::int64_t>(text);
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with("+-")) return std::nullopt;
  const auto value = parse_whole<double>(text);
  if (value && !std::isfinite(*value)) return std::nullopt;
  return value;
}

std::optional<bool> parse_yes_no(std::string_view text) {
  if (text == "yes") return true;
  if (text == "no") return false;
  return std::nullopt;
}

std::optional<std::pair<std::int64_t, std::int64_t>> parse_pair(std::string_view text) {
  const auto x = text.find('x');
  if (x == std::string_view::npos) return std::nullopt;
  const auto first = parse_integer(text.substr(0, x));
  const auto second = parse_integer(text.substr(x + 1));
  if (!first || !second) return std::nullopt;
  return std::pair{*first, *second};
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& ch : lower)
    if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
  return lower;
}

namespace {

/// Slurm's forms: M:S, H:M:S, D-H, D-H:M, D-H:M:S.
std::optional<std::int64_t> parse_slurm_time(std::string_view text) {
  constexpr std::int64_t kMostDays = 1'000'000;
  constexpr std::int64_t kMostOfAUnit = 1'000'000;
  std::int64_t days = 0;
  const auto dash = text.find('-');
  const bool has_days = dash != std::string_view::npos;
  if (has_days) {
    const auto found = parse_integer(text.substr(0, dash));
    if (!found || *found < 0 || *found > kMostDays) return std::nullopt;
    days = *found;
    text.remove_prefix(dash + 1);
  }
  std::vector<std::int64_t> parts;
  while (true) {
    const auto colon = text.find(':');
    const auto part = parse_integer(text.substr(0, colon));
    if (!part || *part < 0 || *part > kMostOfAUnit || parts.size() == 3) return std::nullopt;
    parts.push_back(*part);
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  // After days the first is hours; else the last is seconds.
  if (has_days) parts.resize(3);
  if (!has_days && parts.size() == 2) parts.insert(parts.begin(), 0);
  return ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::string_view kUnits = "dhms";
  constexpr std::array<std::int64_t, 4> kSeconds{86400, 3600, 60, 1};
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // 34,000 years: prevents overflow of the sums below
  if (const auto plain = parse_integer(text)) {
    if (*plain < 0 || *plain > kMost) return std::nullopt;
    return plain;
  }
  if (const std::string word = in_lower_case(text); word == "unlimited" || word == "infinite") return 0;
  if (text.find_first_of(":-") != std::string_view::npos) return parse_slurm_time(text);
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto letter = text.find_first_not_of("0123456789");
    if (letter == 0 || letter == std::string_view::npos) return std::nullopt;
    const auto amount = parse_integer(text.substr(0, letter));
    const auto unit = kUnits.find(text[letter]);
    if (!amount || *amount > kMost || unit == std::string_view::npos || unit < next_unit) return std::nullopt;
    total += *amount * kSeconds[unit];
    if (total > kMost) return std::nullopt;
    next_unit = unit + 1;
    text.remove_prefix(letter + 1);
  }
  return next_unit == 0 ? std::nullopt : std::optional(total);
}

std::string json_number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 40> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 17).ptr;
  return {text.data(), end};
}

std::string shortest(double value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::size_t utf8_length(std::string_view text) {
  // Smallest code point by length (smaller ones need fewer bytes).
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t character = lead & (0x7FU >> length);
  for (const char ch : text.substr(1, length - 1)) {
    const auto next = static_cast<unsigned char>(ch);
    if ((next & 0xC0) != 0x80) return 0;
    character = character << 6 | (next & 0x3FU);
  }
  const bool is_surrogate = character >= 0xD800 && character < 0xE000;
  return character < kLeast[length] || character > 0x10FFFF || is_surrogate ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string in_ranges(const std::vector<int>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(numbers[i]);
    if (end > i) text += '-' + std::to_string(numbers[end]);
    i = end + 1;
  }
  return text;
}

std::string grouped(std::int64_t value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t i = text.size(); i > first + 3;) {
    i -= 3;
    text.insert(i, 1, ',');
  }
  return text;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const auto begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) joined += separator;
    joined += part;
  }
  return joined;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string counted(std::int64_t count, std::string_view singular) {
  std::string text = grouped(count) + ' ' + std::string(singular);
  if (count == 1) return text;
  const bool hisses = text.ends_with('s') || text.ends_with('x') || text.ends_with("sh") ||
                      (text.ends_with("ch") && !text.ends_with("epoch"));
  return text + (hisses ? "es" : "s");
}

std::string in_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed,
                                 value < 10 && unit > 0 ? 1 : 0)
                       .ptr;
  return std::string(text.data(), end) + ' ' + kUnits[unit];
}

}  // namespace convoy
