#pragma once
// The table of `import folder --labels F.csv`: which image has which label. Private to the importers room.

#include <string>
#include <vector>

namespace convoy::importers {

struct LabelledFile {
  std::string file;  ///< relative to the folder
  std::string label;
};

/// Reads a table of two columns or more, file and label, separated by commas (RFC 4180), semicolons, tabs or,
/// in a table without them, spaces; the first line may be a header. A name without an ending stands for the
/// image of `folder` that has one. Throws ConfigError (no such table), DataError with file and line: a line
/// without a label, a file named twice, an image that is not there.
[[nodiscard]] std::vector<LabelledFile> read_label_table(const std::string& path, const std::string& folder);

/// The different labels: as numbers ascending if all are whole numbers, else by their bytes.
[[nodiscard]] std::vector<std::string> classes_of(const std::vector<LabelledFile>& rows);

}  // namespace convoy::importers
