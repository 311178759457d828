#pragma once
// `convoy gradcheck` with additional layers of a test: a wrong gradient must give status 1.

#include "command.hpp"
#include "convoy/layers/registry.hpp"

namespace convoy::apps {

/// As run_gradcheck, with the layers of `registry`.
ExitStatus run_gradcheck_with(const Arguments& arguments, const nn::Registry& registry);

}  // namespace convoy::apps
