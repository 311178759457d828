#pragma once
// What ranks must have in common, compared (contract, "The same bits"; exit 7).

#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"

namespace convoy::train {

/// Collective. Throws DisagreementError on every rank where the digests differ, naming `what`, both groups of
/// ranks and their hosts; `advice` says what would be right.
void require_agreement(const comm::Communicator& world, std::string_view what, const Digest& mine,
                       std::string_view advice);

/// Sum of the running program's file: two builds never share it.
[[nodiscard]] Digest build_digest();

}  // namespace convoy::train
