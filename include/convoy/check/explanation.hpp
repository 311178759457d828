#pragma once
// The text of `convoy explain`: one Derivation told so that it can be followed with pencil and paper. No
// numbers are made here; they come from derive(), which runs the code that trains. Called by the
// command and by tests.

#include <cstdint>
#include <string>

#include "convoy/check/derivation.hpp"

namespace convoy::check {

struct Explanation {
  std::string text;   ///< lines of at most 100 columns, except wide images
  bool holds = true;  ///< all equalities of the text hold, and the inequality without the rotation
};

/// Explains `plain`, an example in integers, then `with_sigmoid`, the same with a layer below; both from
/// derive().
[[nodiscard]] Explanation explain(const Derivation& plain, const Derivation& with_sigmoid,
                                  std::uint64_t seed);

}  // namespace convoy::check
