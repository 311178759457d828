#pragma once
// The version of this build, from CMakeLists.txt.

#include <string_view>

namespace convoy {

/// "0.1.0".
[[nodiscard]] std::string_view version();
/// Build type and compiler flags, except the flags that CMakeLists.txt always sets: "Release: -O3 -DNDEBUG".
[[nodiscard]] std::string_view build_flags();

}  // namespace convoy
