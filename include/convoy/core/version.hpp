#pragma once
// The version of this build, as CMakeLists.txt states it.

#include <string_view>

namespace convoy {

/// "0.1.0".
[[nodiscard]] std::string_view version();

}  // namespace convoy
