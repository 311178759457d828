#include "convoy/optim/parameter_group.hpp"

namespace convoy::optim {

bool matches(std::string_view pattern, std::string_view name) {
  // After a '*', the next part of the pattern takes its first place; if the rest fails, the '*' takes one
  // more.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t after_star = std::string_view::npos;  // in pattern
  std::size_t retry = 0;                            // in name
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (after_star != std::string_view::npos) {
      p = after_star;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace convoy::optim
