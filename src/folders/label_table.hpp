#pragma once
// The table of `import folder --labels F.csv`: which image has which label. Private to the folders room.

#include <string>
#include <vector>

namespace convoy::importers {

struct LabelledFile {
  std::string file;  ///< relative to the folder
  std::string label;
};

/// Which columns hold files and labels: names of the header or numbers from 1; empty: choose_columns decides.
struct ColumnChoice {
  std::string file{};
  std::string label{};
  /// False for the table beside a split's images, whose columns no option chooses: of several columns without
  /// a header the first two are taken, since labels that are no class are refused.
  bool has_options = true;
};

struct LabelTable {
  std::vector<LabelledFile> rows;
  std::vector<std::string> warnings;
};

/// Reads a table of two columns or more, file and label among them, separated by commas (RFC 4180),
/// semicolons, tabs or, in a table without them, spaces; the first line may be a header. A name without an
/// ending stands for the image of `folder` that has one. Throws ConfigError (no such table, no choice of
/// columns), DataError with file and line: a line without a label or with more columns than the first, a file
/// named twice, an image that is not there.
[[nodiscard]] LabelTable read_label_table(const std::string& path, const std::string& folder,
                                          const ColumnChoice& choice);

/// True if one of the first lines of the table names an image of `folder`. False also if it cannot be read.
[[nodiscard]] bool names_images(const std::string& path, const std::string& folder);

/// The different labels: as numbers ascending if all are whole numbers, else by their bytes.
[[nodiscard]] std::vector<std::string> classes_of(const std::vector<LabelledFile>& rows);

}  // namespace convoy::importers
