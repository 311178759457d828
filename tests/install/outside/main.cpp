// Uses the installed library only through its public headers, and thereby a private dependency of it
// (xxhash).

#include <cstdio>
#include <string>

#include "convoy/core/hash.hpp"

int main() {
  // XXH3-128 of the empty input, from the algorithm's specification.
  const std::string expected = "99aa06d3014798d86001c324468d497f";
  const std::string actual = convoy::to_hex(convoy::hash(""));
  if (actual != expected) {
    std::fprintf(stderr, "sum of nothing: %s, not %s\n", actual.c_str(), expected.c_str());
    return 1;
  }
  return 0;
}
