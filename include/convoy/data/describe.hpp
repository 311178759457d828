#pragma once
// Describes a data set file for `convoy inspect`. One rank.

#include <string>

namespace convoy::data {

/// Result of describe().
struct Description {
  std::string text;    ///< lines for people; the last ends with a line feed
  bool sound = false;  ///< false: a check failed; `text` contains which
};

/// Reads and verifies the whole file, its checksum first, then all images (and so the checksum of every
/// chunk). Throws IoError if the file cannot be read, DataError if it is intact but not a data set.
[[nodiscard]] Description describe(const std::string& file);

}  // namespace convoy::data
