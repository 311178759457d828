#pragma once
// What ranks must have in common, compared (src/CONTRACT.md, "The same bits"; exit status 7).

#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"

namespace convoy::comm {

/// Collective over `world`. Throws DisagreementError on every rank where the digests differ, naming `what`,
/// the first two ranks that differ, their hosts and digests; `advice` says what would be right.
void require_agreement(const Communicator& world, std::string_view what, const Digest& mine,
                       std::string_view advice);

}  // namespace convoy::comm
