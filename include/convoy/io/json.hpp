#pragma once
// JSON as Convoy writes it: the lines of metrics.jsonl and the files of --json. Sources that fill a Json
// include <nlohmann/json.hpp> themselves: it is too large for a header.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace convoy::io {

/// Keeps members in insertion order.
using Json = nlohmann::ordered_json;

/// One line without blanks. Non-integer numbers have 17 digits, as src/CONTRACT.md requires (nlohmann's
/// dump() writes the shortest text that reads back). NaN and infinities become null. Invalid UTF-8 bytes
/// become U+FFFD.
[[nodiscard]] std::string to_text(const Json& json);

}  // namespace convoy::io
