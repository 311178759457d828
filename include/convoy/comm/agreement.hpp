#pragma once
// Checks that all ranks have equal digests (src/CONTRACT.md, "The same bits"; exit status 7).

#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"

namespace convoy::comm {

/// Collective over `world`. Throws DisagreementError on every rank if the digests differ. The message
/// contains `what`, the first two ranks that differ, their nodes and digests, and `advice` (how to fix the
/// difference).
void require_agreement(const Communicator& world, std::string_view what, const Digest& mine,
                       std::string_view advice);

}  // namespace convoy::comm
