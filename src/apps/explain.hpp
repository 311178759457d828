#pragma once
// The text of `convoy explain`: a Derivation in steps that can be checked with pencil and paper. This code
// computes no numbers; check::derive() does, with the code that trains. Called by the command and by tests.

#include <cstdint>
#include <string>

#include "convoy/check/derivation.hpp"

namespace convoy::apps {

struct Explanation {
  std::string text;   ///< lines of at most 100 columns, except wide images
  bool holds = true;  ///< all equalities of the text hold, and the inequality without the rotation
};

/// Explains `plain`, an example with integers, then `with_sigmoid`, the same with a layer below. derive()
/// makes both.
[[nodiscard]] Explanation explain(const check::Derivation& plain, const check::Derivation& with_sigmoid,
                                  std::uint64_t seed);

}  // namespace convoy::apps
