#pragma once
// What ranks read of a split that is streamed, and when: the training run's Stream, and one for a pass of
// evaluation. Private to the train room.

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
  std::function<bool(std::int64_t step)> is_verified;  ///< gradients of other ranks are computed again in it
};

/// Collective over `world` (comm::Communicator::by_node()). All that is referred to must outlive the stream.
[[nodiscard]] std::unique_ptr<data::Stream> feed_training(const Options& options,
                                                          const comm::Communicator& world,
                                                          const data::Split& split, io::IoThread& io_thread,
                                                          const StepsToFeed& steps);

/// For this rank alone: samples `rows` in their order, `batch` of them a step.
[[nodiscard]] std::unique_ptr<data::Stream> feed_evaluation(const data::Split& split, io::IoThread& io_thread,
                                                            const Range& rows, std::int64_t batch);

/// Stream::wait(); `tick` is called whenever something was read meanwhile, so that a slow disk is told from
/// one that hangs.
void await_images(data::Stream& stream, std::int64_t step, const std::function<void()>& tick,
                  const std::function<void()>& meanwhile = {});

}  // namespace convoy::step
