#pragma once
// A data set file in words, for `convoy inspect`. One rank.

#include <string>

namespace convoy::data {

/// What describe() found.
struct Description {
  std::string text;    ///< lines for people, the last one ended
  bool sound = false;  ///< false: a check said no, and the text says which
};

/// Reads and checks the whole file, its checksum first; images are read too, so every chunk's own checksum is
/// checked. Throws IoError where it cannot be read, DataError where it is whole but no data set of ours.
[[nodiscard]] Description describe(const std::string& file);

}  // namespace convoy::data
