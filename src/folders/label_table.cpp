#include "label_table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "table_columns.hpp"

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

/// Zero bytes would end messages that name a column.
std::string text_of_table(const std::string& path) {
  std::string text = io::read_text_file(path);
  const std::string kind = io::kind_of_content(std::string_view(text).substr(0, 512));
  if (!text.empty() && !kind.empty())
    throw DataError(fmt::format("cannot read {} as a table of labels ({})", path, kind));
  if (text.find('\0') != std::string::npos)
    throw DataError(
        fmt::format("{} holds zero bytes; a table of labels is text, one line for each image (CSV)", path));
  return text;
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

/// The lines that are not empty, at most `most`.
std::vector<TableLine> lines_of(std::string_view text, std::size_t most) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // spreadsheets write a byte-order mark
  std::vector<TableLine> lines;
  char separator = '\0';
  std::int64_t number = 0;
  while (!text.empty() && lines.size() < most) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) continue;
    if (separator == '\0') separator = separator_of(line);
    lines.push_back({number, fields_of(line, separator)});
  }
  return lines;
}

/// Throws DataError unless the line holds a file and a label (`columns.label`), and no more columns than the
/// first line.
void require_fields(const std::string& path, const TableLine& line, const Columns& columns) {
  const auto wrong = [&](const std::string& why, const std::string& right) {
    throw DataError(fmt::format("wrong line {} in {} ({}); {}", line.number, path, why, right));
  };
  const auto& fields = line.fields;
  const auto is_there = [&](std::size_t column) { return column < fields.size() && !fields[column].empty(); };
  if (!is_there(columns.file) || !is_there(columns.label.value_or(columns.count - 1)))
    wrong(fmt::format("'{}'", join(fields, ",")), "each line should hold a file and its label");
  std::size_t count = fields.size();
  while (count > columns.count && fields[count - 1].empty()) --count;
  if (count > columns.count)
    wrong(fmt::format("it has {} columns, the first line {}", count, columns.count),
          "put quotes around a text that holds the separator");
}

/// What else to type if the columns may be wrong; `are_swapped`: the label names an image.
std::string other_columns(const ColumnChoice& choice, const Columns& columns, bool are_swapped) {
  if (!choice.has_options) return {};
  if (are_swapped && columns.label)
    return fmt::format("; if the columns are swapped, type --file-column {} --label-column {}",
                       *columns.label + 1, columns.file + 1);
  return columns.count > 2 ? "; --file-column chooses another column" : "";
}

void warn_of_empty_columns(const std::string& path, const std::vector<TableLine>& lines,
                           const Columns& columns, LabelTable& table) {
  std::set<std::string> labels;
  for (const LabelledFile& row : table.rows) labels.insert(row.label);
  std::vector<std::string> empty;
  for (std::size_t k = 0; k < columns.count; ++k)
    if (const std::string& name = lines.front().fields[k]; k != columns.file && !labels.contains(name))
      empty.push_back(name);
  if (!empty.empty())
    table.warnings.push_back(
        fmt::format("no line of {} has a 1 in column {}, which is no class then", path, join(empty, ", ")));
}

}  // namespace

LabelTable read_label_table(const std::string& path, const std::string& folder, const ColumnChoice& choice) {
  if (!io::exists(path) || io::is_folder(path))
    throw ConfigError("no such table: --labels " + path + "; it should be a CSV file (file, label)");
  const std::vector<TableLine> lines = lines_of(text_of_table(path), std::numeric_limits<std::size_t>::max());
  const auto names_image = [&](const std::string& field) {
    return !field.empty() && image_named(field, folder).has_value();
  };
  const Columns columns = lines.empty() ? Columns{} : choose_columns(path, lines, choice, names_image);
  LabelTable table;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const TableLine& line = lines[i];
    const auto wrong = [&](const std::string& why, const std::string& right) {
      throw DataError(fmt::format("wrong line {} in {} ({}); {}", line.number, path, why, right));
    };
    if (i == 0 && columns.has_header) continue;
    require_fields(path, line, columns);
    const std::string& name = line.fields[columns.file];
    const std::string& label =
        columns.label ? line.fields[*columns.label] : lines.front().fields[*column_of_one(line, columns)];
    const auto image = image_named(name, folder);
    if (!image)
      wrong(fmt::format("there is no image {} in {}", name, folder),
            "files are named from that folder on" + other_columns(choice, columns, names_image(label)));
    if (!seen.insert(*image).second) wrong(*image + " is named before", "an image has one label");
    table.rows.push_back({*image, label});
  }
  if (table.rows.empty())
    throw DataError("no images in the table " + path + "; it should hold lines of file, label");
  if (!columns.label) warn_of_empty_columns(path, lines, columns, table);
  return table;
}

bool names_images(const std::string& path, const std::string& folder) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 26;
  constexpr std::size_t kMostLines = 4;
  if (!io::exists(path) || !io::special_file(path).empty() || io::file_size(path) > kMostBytes) return false;
  for (const TableLine& line : lines_of(io::read_text_file(path), kMostLines))
    for (const std::string& field : line.fields)
      if (!field.empty() && image_named(field, folder)) return true;
  return false;
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
