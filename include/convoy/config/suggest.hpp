#pragma once
// "Did you mean …?" for mistyped keys, sections, options and commands. The suggestion is only part of the
// message; the program never uses it.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::config {

/// The candidate nearest to `word` (fewest insertions, deletions, replacements and swaps of neighbours; at
/// most a third of the word's length, and at least 1 is allowed). The first one if several are equally near.
/// If none is near enough, the first that ends in a dot and the last part of the word ("train.epochs" for
/// "--epochs", "schedule.lr" for "train.lr"); empty if there is none.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean <nearest>?)", or an empty string.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace convoy::config
