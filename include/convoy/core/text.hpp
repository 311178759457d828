#pragma once
// Strict parsing and exact printing of numbers, and small string helpers. Independent of the locale.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy {

/// The whole of `text` as a signed 64-bit decimal integer; nullopt for stray characters or overflow.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
/// The whole of `text` as a finite double; nullopt for stray characters, NaN, infinity or overflow.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
/// yes | no; nullopt otherwise.
[[nodiscard]] std::optional<bool> parse_yes_no(std::string_view text);
/// "5x3" as (5, 3); "2x2"; nullopt unless both are integers.
[[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> parse_pair(std::string_view text);
/// Seconds from "90", "90s", "3h50m", "1d2h", and from Slurm's forms with ':' or '-' ("30:00", "1:30:00",
/// "1-12", "1-00:00:00"); 0 for its UNLIMITED and INFINITE; nullopt for other forms.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

/// With A-Z replaced by a-z, whatever the locale.
[[nodiscard]] std::string in_lower_case(std::string_view text);

/// 17 significant digits, so that the parsed number has the same bits; "null" for NaN and infinities (JSON).
[[nodiscard]] std::string json_number(double value);
/// The shortest text that parses to the same double ("0.1", "5e-4").
[[nodiscard]] std::string shortest(double value);
/// Bytes of the UTF-8 character at the start of `text` (RFC 3629); 0 if there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
/// {0, 1, 2, 5} as "0-2,5"; `numbers` ascend.
[[nodiscard]] std::string in_ranges(const std::vector<int>& numbers);
/// 12345678 as "12,345,678".
[[nodiscard]] std::string grouped(std::int64_t value);

/// The words of `text`, separated by blanks.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);
/// `parts` joined with `separator` between them.
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// `text` without blanks at either end.
[[nodiscard]] std::string_view trim(std::string_view text);
/// `count` with its noun: "1 rank", "3 ranks", "2 micro-batches".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view singular);

/// A number of bytes for people, in powers of 1,000: "1.5 GB", "23 MB".
[[nodiscard]] std::string in_bytes(std::int64_t bytes);

}  // namespace convoy
