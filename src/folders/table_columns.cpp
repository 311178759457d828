#include "table_columns.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string_view>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"

namespace convoy::importers {
namespace {

using Numbers = std::vector<std::size_t>;  ///< of columns, from 0

// In lower case, without separators.
constexpr std::array<std::string_view, 32> kNamesOfFiles{
    "file",      "files",         "filename", "filenames", "fname",     "filepath",
    "filepaths", "path",          "paths",    "fullpath",  "relpath",   "image",
    "images",    "imageid",       "imageids", "imagename", "imagefile", "imagefilename",
    "imagepath", "imagefilepath", "img",      "imgs",      "imgid",     "imgname",
    "imgfile",   "imgpath",       "id",       "name",      "picture",   "photo",
    "photoid",   "uuid"};
constexpr std::array<std::string_view, 24> kNamesOfLabels{
    "label",    "labels",     "labelname",    "class",  "classes", "classname", "classnames", "classlabel",
    "category", "categories", "categoryname", "target", "targets", "diagnosis", "dx",         "species",
    "breed",    "y",          "groundtruth",  "tag",    "variety", "genus",     "disease",    "gt"};

std::string plain(std::string_view name) {
  std::string plain;
  for (const char ch : in_lower_case(name))
    if (std::string_view("_-. ").find(ch) == std::string_view::npos) plain += ch;
  return plain;
}

bool is_one_of(const std::string& name, std::span<const std::string_view> names) {
  return std::ranges::find(names, plain(name)) != names.end();
}

class Chooser {
 public:
  Chooser(const std::string& path, const std::vector<TableLine>& lines, const ColumnChoice& choice,
          const NamesImage& names_image)
      : path_(path), lines_(lines), choice_(choice), names_image_(names_image) {
    columns_.count = first().size();
    const auto is_empty_in = [&](const TableLine& line) {
      return line.fields.size() < columns_.count || line.fields[columns_.count - 1].empty();
    };
    while (columns_.count > 2 && std::ranges::all_of(lines_, is_empty_in)) --columns_.count;
  }

  Columns choose() {
    if (columns_.count < 2) return columns_;  // its lines are wrong
    const bool is_chosen = !choice_.file.empty() || !choice_.label.empty();
    if (!is_chosen && columns_.count <= 2) {
      columns_.has_header = !names_image_(first()[0]);
      return columns_;
    }
    columns_.has_header = has_header();
    if (!is_chosen && !columns_.has_header && !choice_.has_options) return columns_;
    if (!columns_.has_header && choice_.label.empty() && columns_.count > 2)
      throw ConfigError(
          fmt::format("no header in {} tells which column holds the labels ({}); choose it by --label-column "
                      "N, a number from 1 to {}",
                      path_, its_columns(), columns_.count));
    std::optional<std::size_t> label;
    if (!choice_.label.empty()) label = column_of(choice_.label, "--label-column");
    columns_.file = file_column(label);
    if (label == columns_.file)
      throw ConfigError(
          fmt::format("column {} of {} is chosen for both file and label; give --label-column and "
                      "--file-column two columns of it",
                      name_of(*label), path_));
    columns_.label = label ? label : label_column();
    return columns_;
  }

 private:
  [[nodiscard]] const std::vector<std::string>& first() const { return lines_.front().fields; }
  [[nodiscard]] std::string name_of(std::size_t column) const {
    if (!columns_.has_header) return fmt::format("{} ({})", column + 1, first()[column]);
    return first()[column].empty() ? fmt::format("{} (no name)", column + 1) : first()[column];
  }
  [[nodiscard]] std::string names_of(const Numbers& numbers) const {
    std::vector<std::string> names;
    for (const std::size_t column : numbers) {
      if (names.size() == 30) {
        names.emplace_back("…");
        break;
      }
      names.push_back(name_of(column));
    }
    return join(names, ", ");
  }
  [[nodiscard]] Numbers all_but(std::optional<std::size_t> other) const {
    Numbers numbers;
    for (std::size_t column = 0; column < columns_.count; ++column)
      if (column != other) numbers.push_back(column);
    return numbers;
  }
  [[nodiscard]] std::string its_columns() const {
    return fmt::format("its columns are {}", names_of(all_but(std::nullopt)));
  }

  /// Whether the first line holds names of columns: no field ends as an image, and one is a usual name or
  /// chosen, or none names an image.
  [[nodiscard]] bool has_header() const {
    const auto& names = first();
    if (std::ranges::any_of(names, images::is_image_name)) return false;
    const auto is_chosen = [&](const std::string& name) {
      return (name == choice_.file || name == choice_.label) && !parse_integer(name);
    };
    return std::ranges::any_of(names, is_chosen) ||
           std::ranges::any_of(names, [](const auto& name) { return is_one_of(name, kNamesOfFiles); }) ||
           std::ranges::none_of(names, names_image_);
  }

  /// What `text` means: a name of the header or a number from 1.
  [[nodiscard]] std::size_t column_of(const std::string& text, std::string_view option) const {
    if (columns_.has_header) {
      for (const bool exactly : {true, false}) {
        const auto is_meant = [&](std::size_t column) {
          return exactly ? first()[column] == text : in_lower_case(first()[column]) == in_lower_case(text);
        };
        Numbers meant = all_but(std::nullopt);
        std::erase_if(meant, [&](std::size_t column) { return !is_meant(column); });
        if (meant.size() == 1) return meant.front();
        if (meant.size() > 1)
          throw ConfigError(fmt::format("several columns {} in {} ({}); {} takes a number from 1 to {} too",
                                        text, path_, its_columns(), option, columns_.count));
      }
    }
    const auto number = parse_integer(text);
    if (number && *number >= 1 && *number <= static_cast<std::int64_t>(columns_.count))
      return static_cast<std::size_t>(*number - 1);
    throw ConfigError(fmt::format("no column {} in {} ({}); {} takes {}a number from 1 to {}", text, path_,
                                  its_columns(), option, columns_.has_header ? "one of these or " : "",
                                  columns_.count));
  }

  [[nodiscard]] Numbers with_names(const Numbers& numbers, std::span<const std::string_view> names) const {
    Numbers found;
    if (columns_.has_header)
      std::ranges::copy_if(numbers, std::back_inserter(found),
                           [&](std::size_t column) { return is_one_of(first()[column], names); });
    return found;
  }

  /// The column's field below the header; empty if there is none.
  [[nodiscard]] std::string first_value(std::size_t column) const {
    const std::size_t row = columns_.has_header ? 1 : 0;
    return row < lines_.size() && column < lines_[row].fields.size() ? lines_[row].fields[column] : "";
  }
  [[nodiscard]] bool has_ending(std::size_t column) const {
    return images::is_image_name(first_value(column));
  }

  [[nodiscard]] std::size_t file_column(std::optional<std::size_t> label) const {
    if (!choice_.file.empty()) return column_of(choice_.file, "--file-column");
    Numbers usual = with_names(all_but(label), kNamesOfFiles);
    if (usual.size() == 1) return usual.front();
    if (usual.empty()) usual = all_but(label);
    Numbers named = usual;
    std::erase_if(named, [&](std::size_t column) { return !names_image_(first_value(column)); });
    if (std::ranges::any_of(named, [&](std::size_t column) { return has_ending(column); }))
      std::erase_if(named, [&](std::size_t column) { return !has_ending(column); });
    if (named.size() == 1) return named.front();
    if (usual.size() == 1) return usual.front();
    refuse("files", named.empty() ? usual : named, "--file-column");
  }

  /// Nothing if each column is a class.
  [[nodiscard]] std::optional<std::size_t> label_column() const {
    const Numbers others = all_but(columns_.file);
    if (others.size() == 1) return others.front();
    const Numbers usual = with_names(others, kNamesOfLabels);
    const std::optional<TableLine> wrong = line_without_one();
    const bool have_names = std::ranges::none_of(others, [&](std::size_t k) { return first()[k].empty(); });
    if (!wrong && have_names && (others.size() > 2 || usual.size() != 1) && lines_.size() > 1)
      return std::nullopt;
    if (usual.size() == 1) return usual.front();
    if (wrong && have_names && usual.empty() && hold_flags(others))
      throw DataError(fmt::format(
          "wrong line {} in {} (it has {} 1s in the columns {}); with a column for each class, an "
          "image has one 1, or --label-column NAME chooses one column of labels",
          wrong->number, path_, count_of_ones(*wrong), names_of(others)));
    refuse("labels", usual, "--label-column");
  }

  [[noreturn]] void refuse(std::string_view what, const Numbers& several, std::string_view option) const {
    const std::string problem =
        several.size() > 1 && several.size() < columns_.count
            ? fmt::format("several columns of {} in {} ({}; {})", what, path_, names_of(several),
                          its_columns())
            : fmt::format("no column of {} found in {} ({})", what, path_, its_columns());
    const std::string way =
        choice_.has_options
            ? fmt::format("choose it by {} NAME, a name of the header or a number from 1 to {}", option,
                          columns_.count)
            : std::string("leave there the columns file and label alone");
    throw ConfigError(problem + "; " + way);
  }

  [[nodiscard]] static std::optional<bool> flag(const std::string& field) {
    const auto number = parse_number(field);
    return number == 0.0 || number == 1.0 ? std::optional(number == 1.0) : std::nullopt;
  }
  [[nodiscard]] std::span<const TableLine> rows() const { return std::span(lines_).subspan(1); }

  [[nodiscard]] bool hold_flags(const Numbers& numbers) const {
    return std::ranges::all_of(rows(), [&](const TableLine& line) {
      return line.fields.size() >= columns_.count &&
             std::ranges::all_of(numbers, [&](std::size_t k) { return flag(line.fields[k]).has_value(); });
    });
  }
  [[nodiscard]] std::int64_t count_of_ones(const TableLine& line) const {
    return std::ranges::count_if(all_but(columns_.file),
                                 [&](std::size_t k) { return flag(line.fields[k]) == true; });
  }
  [[nodiscard]] std::optional<TableLine> line_without_one() const {
    for (const TableLine& line : rows())
      if (!column_of_one(line, columns_)) return line;
    return std::nullopt;
  }

  const std::string& path_;
  const std::vector<TableLine>& lines_;
  const ColumnChoice& choice_;
  const NamesImage& names_image_;
  Columns columns_;
};

}  // namespace

Columns choose_columns(const std::string& path, const std::vector<TableLine>& lines,
                       const ColumnChoice& choice, const NamesImage& names_image) {
  return Chooser(path, lines, choice, names_image).choose();
}

std::optional<std::size_t> column_of_one(const TableLine& line, const Columns& columns) {
  if (line.fields.size() < columns.count) return std::nullopt;
  std::optional<std::size_t> found;
  for (std::size_t k = 0; k < columns.count; ++k) {
    if (k == columns.file) continue;
    const auto number = parse_number(line.fields[k]);
    if (number == 0.0) continue;
    if (number != 1.0 || found) return std::nullopt;
    found = k;
  }
  return found;
}

}  // namespace convoy::importers
