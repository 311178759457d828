#pragma once
// Setting numbers and images in lines of text, for `convoy explain`. Private to the check room.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/check/derivation.hpp"

namespace convoy::check {

/// "-3", or with `decimals` "0.0474".
[[nodiscard]] std::string number_text(double value, int decimals);

/// An image below its title, with aligned columns.
struct Block {
  std::string title;
  std::vector<std::string> lines;
};

[[nodiscard]] Block image_block(std::string title, const Image& p, int decimals = 0);

/// The blocks side by side, indented by two; one below the other if they do not fit in 100 columns.
[[nodiscard]] std::string side_by_side(const std::vector<Block>& blocks);

/// "name = 2·1 + 3·(-1) + 1 = 0", broken before a '+' where it is longer than 100 columns. `last` is a
/// summand alone, left out where it is empty.
[[nodiscard]] std::string sum_text(const std::string& name,
                                   const std::vector<std::pair<std::string, std::string>>& terms,
                                   const std::string& last, const std::string& result);

}  // namespace convoy::check
