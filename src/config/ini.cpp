// INI parser. Counts lines, so that every error message has its line number.

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "convoy/config/config.hpp"
#include "convoy/config/keys.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::config {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string in_quotes(std::string_view text) {
  return std::string(1, '\'').append(text) += '\'';
}

[[noreturn]] void fail(const std::string& origin, const std::string& problem) {
  throw ConfigError(origin + ": " + problem);
}

void check_is_text(std::string_view line, const std::string& origin) {
  const auto is_control = [](char ch) {
    const auto byte = static_cast<unsigned char>(ch);
    return (byte < 0x20 && ch != '\t' && ch != '\r') || byte == 0x7F;
  };
  if (std::any_of(line.begin(), line.end(), is_control))
    fail(origin, "holds control characters (this is no text file); a configuration is an INI text");
}

/// The section name in a line that starts with '['.
std::string section_of(std::string_view header, const std::string& origin) {
  if (!header.ends_with(']'))
    fail(origin, in_quotes(header) + " (a section header ends with ']'); write e.g. [train]");
  std::string name(header.substr(1, header.size() - 2));
  const std::vector<std::string> known = section_names();
  if (std::find(known.begin(), known.end(), name) == known.end() && group_of_section(name).empty()) {
    fail(origin, fmt::format("unknown section [{}]{}; the sections are {}", name, did_you_mean(name, known),
                             join(known, ", ")));
  }
  return name;
}

}  // namespace

std::vector<Setting> read_ini(std::string_view text, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Setting> settings;
  std::string section;
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string origin = fmt::format("{}:{}", name, number);
    check_is_text(line, origin);
    const std::string_view content = trim(line.substr(0, line.find('#')));
    if (content.starts_with('[')) {
      section = section_of(content, origin);
      continue;
    }
    if (content.empty()) continue;
    const std::size_t equals = content.find('=');
    if (equals == std::string_view::npos)
      fail(origin, in_quotes(content) + " (no '=' in it); write key = value, [section] or # comment");
    const std::string short_name(trim(content.substr(0, equals)));
    const std::string value(trim(content.substr(equals + 1)));
    if (short_name.empty()) fail(origin, in_quotes(content) + " (no key before the '='); write key = value");
    std::string key = section.empty() ? short_name : section + "." + short_name;
    if (section.empty() && !find_key(key)) {
      fail(origin, fmt::format("key {} outside a section{}; put it under its [section]", in_quotes(key),
                               suggest_key(key)));
    }
    if (value.empty())
      fail(origin, fmt::format("{} has no value; write {} = VALUE or leave it out", key, short_name));
    settings.push_back({std::move(key), value, origin});
  }
  return settings;
}

std::vector<Setting> read_ini_file(const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    throw ConfigError(fmt::format("--config {} cannot be read ({}); name an existing INI file", path, why));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) cannot("it is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) cannot(std::strerror(errno));
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) cannot("reading fails");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) cannot("it is larger than 1 MiB, so it is no configuration");
  return read_ini(text, path);
}

}  // namespace convoy::config
