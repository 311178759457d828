#pragma once
// The version of this build, as CMakeLists.txt states it.

#include <string_view>

namespace convoy {

/// "0.1.0".
[[nodiscard]] std::string_view version();
/// What the compiler was told beside the flags that CMakeLists.txt always gives: "Release: -O3 -DNDEBUG".
[[nodiscard]] std::string_view build_flags();

}  // namespace convoy
