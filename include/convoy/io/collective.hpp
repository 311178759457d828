#pragma once
// One outcome for all ranks: what fails on one of them fails on every one, with the same error, so that no
// rank goes on to a collective the others will never reach. Used wherever ranks touch files.

#include <functional>

#include "convoy/comm/communicator.hpp"

namespace convoy::io {

/// Collective over `world`. Every rank runs `action` (which makes no collective call that a failing rank
/// would leave half done); if it threw on any of them, every rank throws the error of the lowest such rank,
/// of the same class and with the same message, which names that rank and its host unless all of them failed
/// alike.
void agreed(const comm::Communicator& world, const std::function<void()>& action);

/// Collective over `world`. The same, with `action` run by rank 0 alone.
void agreed_at_root(const comm::Communicator& world, const std::function<void()>& action);

}  // namespace convoy::io
