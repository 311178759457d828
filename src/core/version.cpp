#include "convoy/core/version.hpp"

namespace convoy {

std::string_view version() {
  return CONVOY_VERSION;
}

std::string_view build_flags() {
  return CONVOY_BUILD_FLAGS;
}

}  // namespace convoy
