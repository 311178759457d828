#pragma once
// `convoy gradcheck` with layers of a test's own: a wrong gradient must end it with status 1.

#include "command.hpp"
#include "convoy/nn/registry.hpp"

namespace convoy::apps {

/// As run_gradcheck, with the layers of `registry`.
ExitStatus run_gradcheck_with(const Arguments& arguments, const nn::Registry& registry);

}  // namespace convoy::apps
