#pragma once
// Signals of a training run: requests to it, and the message of a rank that crashes.

#include <atomic>
#include <cstdint>

#include "convoy/comm/communicator.hpp"

namespace convoy::launch {

/// Values of request_by_signal().
inline constexpr int kNoRequest = 0;
inline constexpr int kWriteCheckpoint = 1;  ///< SIGUSR1
inline constexpr int kLeave =
    2;  ///< with a checkpoint: SIGTERM, SIGINT, SIGUSR2, SIGXCPU, and SIGHUP unless ignored

/// The strongest request since somebody reset it.
[[nodiscard]] std::atomic<int>& request_by_signal();
/// The step that a crashing rank names.
[[nodiscard]] std::atomic<std::int64_t>& step_for_crashes();

/// From now on these signals only set the request; a second SIGINT ends the process at once. SIGPIPE is
/// ignored: a reader of the output that goes away ends no run. A rank that crashes first writes which one it
/// was.
void install_signal_handlers(const comm::Communicator& world);

}  // namespace convoy::launch
