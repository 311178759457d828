#pragma once
// Read-ahead of a streamed split for a training run: what each rank reads, and when.

#include <cstdint>
#include <functional>
#include <memory>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/stream.hpp"
#include "convoy/step/options.hpp"

namespace convoy::step {

/// Steps of a run, from 0.
struct StepsToFeed {
  std::int64_t first = 0;
  std::int64_t end = 0;
  std::int64_t per_epoch = 1;
  std::function<bool(std::int64_t step)> is_verified;  ///< true: gradients of other ranks are recomputed
};

/// Collective over `world` (comm::Communicator::by_node()). All arguments must outlive the stream.
[[nodiscard]] std::unique_ptr<data::Stream> feed_training(const Options& options,
                                                          const comm::Communicator& world,
                                                          const data::Split& split, io::IoThread& io_thread,
                                                          const StepsToFeed& steps);

/// Stream::wait(). Calls `tick` after every completed read, so that the watchdog can distinguish a slow disk
/// from one that hangs.
void await_images(data::Stream& stream, std::int64_t step, const std::function<void()>& tick,
                  const std::function<void()>& meanwhile = {});

}  // namespace convoy::step
