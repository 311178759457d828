#pragma once
// CSV files (RFC 4180).

#include <string>

namespace convoy::predict {

/// `text` as a field: in quotes if it contains a comma, a quote or the end of a line.
[[nodiscard]] std::string csv_field(const std::string& text);

}  // namespace convoy::predict
