// INI texts. Boost.Program_options reads every `key = value` line, so that comments, blanks and '=' mean what
// they mean to it; but its parser knows neither line numbers nor what to say about a bad section, so the
// lines are cut and counted here, the section headers are read here, and Boost gets one line at a time.

#include <algorithm>
#include <boost/program_options.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "convoy/config/config.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "keys.hpp"

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

/// The name in a line that begins with '['.
std::string section_of(std::string_view header, const std::string& origin) {
  if (!header.ends_with(']'))
    fail(origin, in_quotes(header) + " (a section header ends with ']'); write e.g. [train]");
  std::string name(header.substr(1, header.size() - 2));
  const std::vector<std::string> known = section_names();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    fail(origin, "unknown section [" + name + "]" + did_you_mean(name, known) + "; the sections are " +
                     join(known, ", "));
  }
  return name;
}

/// Boost's reading of one line; nothing for blanks and comments.
std::vector<boost::program_options::option> read_line(std::string_view line, const std::string& origin) {
  std::istringstream stream{std::string(line)};
  try {
    const boost::program_options::options_description none;
    constexpr bool kAllowUnregistered =
        true;  // our own table knows the keys, and says more about unknown ones
    return boost::program_options::parse_config_file(stream, none, kAllowUnregistered).options;
  } catch (const boost::program_options::error&) {
    fail(origin, in_quotes(trim(line)) + " (no '=' in it); write key = value, [section] or # comment");
  }
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
    const std::string origin = name + ":" + std::to_string(number);
    check_is_text(line, origin);
    const std::string_view content = trim(line.substr(0, line.find('#')));
    if (content.starts_with('[')) {
      section = section_of(content, origin);
      continue;
    }
    for (const auto& option : read_line(line, origin)) {
      const std::string value(trim(option.value.empty() ? std::string() : option.value.front()));
      if (option.string_key.empty())
        fail(origin, in_quotes(content) + " (no key before the '='); write key = value");
      std::string key = section.empty() ? option.string_key : section + "." + option.string_key;
      if (section.empty() && !find_key(key)) {
        fail(origin, "key " + in_quotes(key) + " outside a section" + suggest_key(key) +
                         "; put it under its [section]");
      }
      if (value.empty())
        fail(origin, key + " has no value; write " + option.string_key + " = VALUE or leave it out");
      settings.push_back({std::move(key), value, origin});
    }
  }
  return settings;
}

std::vector<Setting> read_ini_file(const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    throw ConfigError("--config " + path + " cannot be read (" + why + "); name an existing INI file");
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
