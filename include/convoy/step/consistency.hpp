#pragma once
// What the ranks of a run must have in common: build, instruction set, state (src/CONTRACT.md, "The same
// bits").

#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/hooks.hpp"

namespace convoy::step {

/// Collective. comm::require_agreement, after a test's hook may have changed `mine` (step/hooks.hpp).
void compare_across_ranks(const comm::Communicator& world, const Hooks& hooks, std::string_view what,
                          Digest mine, std::string_view advice);

/// Collective. The lowest of all ranks' instruction sets: what every rank then uses.
[[nodiscard]] kernels::Isa lowest_isa(const comm::Communicator& world, kernels::Isa mine);

/// What to do where builds differ.
inline constexpr std::string_view kSameBuild = "start the same convoy program on every host";

/// Sum of the running program's file: two builds never share it.
[[nodiscard]] Digest build_digest();

}  // namespace convoy::step
