#include "convoy/layers/initializer.hpp"

namespace convoy::nn {

const std::vector<std::string_view>& initializer_names() {
  static const std::vector<std::string_view> names{"auto",       "he",    "glorot", "lecun",
                                                   "orthogonal", "dirac", "zero"};
  return names;
}

}  // namespace convoy::nn
