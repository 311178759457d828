#pragma once
// One outcome for all ranks: an error on one rank is thrown on all ranks, so that no rank waits in a
// collective that a failed rank does not reach. Used wherever ranks access files.

#include <functional>

#include "convoy/comm/communicator.hpp"

namespace convoy::io {

/// Collective over `world`. Runs `action` on every rank; `action` must not make a collective call that a
/// failing rank would leave incomplete. If it threw on any rank, every rank throws the error of the lowest
/// such rank, of the same class and with the same message, plus that rank and its node unless all ranks
/// failed with the same error.
void agreed(const comm::Communicator& world, const std::function<void()>& action);

/// Collective over `world`. As agreed(), but only rank 0 runs `action`.
void agreed_at_root(const comm::Communicator& world, const std::function<void()>& action);

}  // namespace convoy::io
