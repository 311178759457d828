#pragma once
// What `convoy predict` is asked about: image files, folders of them, and images in HDF5 files.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::predict {

/// Image files, in order.
using Files = std::vector<std::string>;

/// Images in an HDF5 file.
struct Array {
  std::string file;
  std::string path;             ///< of the images in it
  std::optional<Range> rows{};  ///< absent: all
};

using Input = std::variant<Files, Array>;

/// "F.h5:/x" or "F.h5:/x[10:20]"; no value if the text has another form. Throws ConfigError if the range is
/// none.
[[nodiscard]] std::optional<Array> parse_array(const std::string& text);

/// What the words name, in order; image files that follow each other are one input. Throws ConfigError (no
/// such file, an HDF5 file without a path), DataError (a folder without images), IoError.
[[nodiscard]] std::vector<Input> find_inputs(const std::vector<std::string>& words);

}  // namespace convoy::predict
