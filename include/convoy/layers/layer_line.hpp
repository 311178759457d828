#pragma once
// One `layer = …` line of a configuration, cut into words: a keyword, positional values, then key=value
// options. The grammar of each keyword belongs to its layer (nn/registry.hpp); this class handles only the
// line.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::nn {

/// A line of the network and its origin (for messages).
struct LayerText {
  std::string text;    ///< e.g. "conv 32 3x3 pad=1"
  std::string origin;  ///< e.g. "configs/lenet5-mnist.ini:12" or "command line"
};

/// Cuts a line into words and returns them, checked. Each `take_…` marks its word as used; finish() rejects
/// unused words. Every error is a ConfigError that names the line, its origin, the word and the remedy.
class LayerLine {
 public:
  /// `ordinal` is the index of the line in the network, from 0.
  explicit LayerLine(LayerText source, std::uint64_t ordinal = 0);

  /// First word: "conv", "residual", "}" ….
  [[nodiscard]] const std::string& keyword() const { return keyword_; }
  [[nodiscard]] const LayerText& source() const { return source_; }
  [[nodiscard]] std::uint64_t ordinal() const { return ordinal_; }

  /// The next positional value as an integer in [least, most]; `what` names it in messages ("output
  /// channels").
  std::int64_t take_integer(std::string_view what, std::int64_t least, std::int64_t most);
  /// The next positional value as a number in [least, below).
  double take_number(std::string_view what, double least, double below);
  /// The next positional value as "HxW", each in [1, 65535].
  std::pair<std::int64_t, std::int64_t> take_size(std::string_view what);
  /// Option `key` as an integer in [least, most], or `otherwise` if absent.
  std::int64_t take_option(std::string_view key, std::int64_t otherwise, std::int64_t least,
                           std::int64_t most);
  /// Option `key` as one integer for both directions or "HxW".
  std::pair<std::int64_t, std::int64_t> take_option_pair(std::string_view key,
                                                         std::pair<std::int64_t, std::int64_t> otherwise,
                                                         std::int64_t least, std::int64_t most);
  double take_option_number(std::string_view key, double otherwise, double least, double most);
  bool take_option_yes_no(std::string_view key, bool otherwise);
  std::optional<std::string> take_option_text(std::string_view key);
  /// Option `key` as the number of one of `names`, or `otherwise` if absent.
  std::size_t take_option_choice(std::string_view key, const std::vector<std::string_view>& names,
                                 std::size_t otherwise);

  /// Rejects unused words; `usage` shows the right form ("conv OC KHxKW [stride=1] …").
  void finish(std::string_view usage);

  /// Throws ConfigError: "<origin>: layer '<text>': <problem>".
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  std::string next_positional(std::string_view what);
  std::optional<std::string> take(std::string_view key);

  LayerText source_;
  std::uint64_t ordinal_;
  std::string keyword_;
  std::vector<std::string> positionals_;
  std::size_t next_ = 0;
  std::map<std::string, std::string, std::less<>> options_;
};

}  // namespace convoy::nn
