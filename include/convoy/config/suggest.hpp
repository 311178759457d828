#pragma once
// "Did you mean …?" for mistyped keys, sections, options and commands. Never guesses on the user's behalf:
// the suggestion only goes into the message.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::config {

/// The candidate nearest to `word` (fewest insertions, deletions, replacements and swaps of neighbours, at
/// most a third of the word's length, at least 1); empty where none is that near. The first of equals.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean <nearest>?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace convoy::config
