#pragma once
// Which columns of a table hold the files and their labels. Private to the folders room.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "label_table.hpp"

namespace convoy::importers {

struct TableLine {
  std::int64_t number = 0;          ///< from 1, in the file
  std::vector<std::string> fields;  ///< at least one
};

struct Columns {
  std::size_t file = 0;
  std::optional<std::size_t> label = 1;  ///< none: one column a class, with one 1 in each line
  bool has_header = false;
  std::size_t count = 2;  ///< empty ones at the end of all lines are not counted
};

/// Tells if a field is the name of an image.
using NamesImage = std::function<bool(const std::string& field)>;

/// Chooses the columns of the table `path`; `lines` holds one line or more, the header among them. Two
/// columns are file and label unless `choice` says otherwise; of more, the header's usual names ("filename",
/// "image_id"; "label", "class") decide, and of several columns of files the one that names images. If there
/// is no single column of labels, and all columns but that of the files hold one 1 in each line and else 0,
/// each of these is a class. Throws ConfigError that names the columns if the choice is not unique or not
/// there, DataError if columns of 0 and 1 hold no 1 or several in a line.
[[nodiscard]] Columns choose_columns(const std::string& path, const std::vector<TableLine>& lines,
                                     const ColumnChoice& choice, const NamesImage& names_image);

/// The column of the line's only 1, among all columns but that of the files; none unless there is exactly
/// one.
[[nodiscard]] std::optional<std::size_t> column_of_one(const TableLine& line, const Columns& columns);

}  // namespace convoy::importers
