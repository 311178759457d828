#pragma once
// JSON as Convoy writes it: the lines of metrics.jsonl and the files of --json. Sources that fill a Json
// include <nlohmann/json.hpp> themselves, which is too large for a header.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace convoy::io {

/// Members keep the order in which they were added.
using Json = nlohmann::ordered_json;

/// Without any blank, all in one line. Numbers that are no integers have 17 digits, as src/CONTRACT.md
/// promises (nlohmann's own dump() writes the fewest that read back); NaN and infinities are null. U+FFFD
/// stands for bytes that are no UTF-8.
[[nodiscard]] std::string to_text(const Json& json);

}  // namespace convoy::io
