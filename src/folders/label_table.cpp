#include "label_table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::importers {
namespace {

/// Fields of a line. A field in quotes may hold the separator and, doubled, quotes.
std::vector<std::string> fields_of(std::string_view line, char separator) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char ch = line[i];
    if (ch == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (ch == '"') {
      is_quoted = !is_quoted;
    } else if (ch == separator && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += ch;
    }
  }
  for (std::string& field : fields) field = trim(field);
  return fields;
}

char separator_of(std::string_view line) {
  for (const char separator : {',', '\t', ';', ' '})
    if (line.find(separator) != std::string_view::npos) return separator;
  return ',';
}

/// The image that `name` means; nothing if it is not there.
std::optional<std::string> image_named(const std::string& name, const std::string& folder) {
  if (images::is_image_name(name))
    return io::exists(folder + '/' + name) ? std::optional(name) : std::nullopt;
  for (const std::string_view ending : images::kImageEndings) {
    std::string capitals(ending);
    for (char& letter : capitals)
      if (letter != '.') letter = static_cast<char>(letter - 'a' + 'A');
    for (const std::string& file : {name + std::string(ending), name + capitals})
      if (io::exists(folder + '/' + file)) return file;
  }
  return std::nullopt;
}

}  // namespace

std::vector<LabelledFile> read_label_table(const std::string& path, const std::string& folder) {
  if (!io::exists(path) || io::is_folder(path))
    throw ConfigError("no such table: --labels " + path + "; it should be a CSV file (file, label)");
  std::string text = io::read_text_file(path);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);  // spreadsheets write a byte-order mark
  std::vector<LabelledFile> rows;
  std::set<std::string> seen;
  std::int64_t line_number = 0;
  const auto wrong = [&](const std::string& why, const std::string& right) {
    throw DataError(fmt::format("wrong line {} in {} ({}); {}", line_number, path, why, right));
  };
  char separator = '\0';
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line_number;
    if (line.empty()) continue;
    if (separator == '\0') separator = separator_of(line);
    const std::vector<std::string> fields = fields_of(line, separator);
    if (fields.size() < 2 || fields[0].empty() || fields[1].empty())
      wrong(fmt::format("'{}'", line), "each line should hold a file and its label");
    const auto image = image_named(fields[0], folder);
    if (!image && rows.empty() && seen.empty() && line_number == 1) continue;  // the header
    if (!image)
      wrong(fmt::format("there is no image {} in {}", fields[0], folder),
            "files are named from that folder on");
    if (!seen.insert(*image).second) wrong(*image + " is named before", "an image has one label");
    rows.push_back({*image, fields[1]});
  }
  if (rows.empty())
    throw DataError("no images in the table " + path + "; it should hold lines of file, label");
  return rows;
}

std::vector<std::string> classes_of(const std::vector<LabelledFile>& rows) {
  std::set<std::string> labels;
  for (const LabelledFile& row : rows) labels.insert(row.label);
  std::vector<std::string> classes(labels.begin(), labels.end());
  const bool are_numbers =
      std::ranges::all_of(classes, [](const std::string& label) { return parse_integer(label).has_value(); });
  if (are_numbers)
    std::ranges::sort(classes, {}, [](const std::string& label) { return *parse_integer(label); });
  return classes;
}

}  // namespace convoy::importers
