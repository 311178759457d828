#pragma once
// A problem with its remedy: most commands print both in one line, `doctor` lists them separately.

#include <cassert>
#include <string>

namespace convoy {

struct Problem {
  std::string what;    ///< empty: no problem
  std::string remedy;  ///< what the user can do
  /// "<what>; <remedy>". Precondition: there is a problem.
  [[nodiscard]] std::string text() const {
    assert(!what.empty());
    return what + "; " + remedy;
  }
  explicit operator bool() const { return !what.empty(); }
};

}  // namespace convoy
