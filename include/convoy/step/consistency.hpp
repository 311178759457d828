#pragma once
// Checks that all ranks of a run have the same build, instruction set and state (src/CONTRACT.md, "The same
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

/// Collective. Calls comm::require_agreement; a test hook may change `mine` first (step/hooks.hpp).
void compare_across_ranks(const comm::Communicator& world, const Hooks& hooks, std::string_view what,
                          Digest mine, std::string_view advice);

/// Collective. This rank's instruction set if the sets of all ranks compute the same bits, else the portable
/// one; every rank uses what it gets.
[[nodiscard]] kernels::Isa agreed_isa(const comm::Communicator& world, kernels::Isa mine);

/// Advice if builds differ.
inline constexpr std::string_view kSameBuild = "start the same convoy program on every node";

/// Digest of the running program's file. Two different builds have different digests.
[[nodiscard]] Digest build_digest();

}  // namespace convoy::step
