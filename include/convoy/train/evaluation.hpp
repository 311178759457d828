#pragma once
// Loss and accuracy over a whole split; each sample counts once for any number of ranks.

#include <cstdint>
#include <functional>
#include <span>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/io/io_thread.hpp"
#include "convoy/step/engine.hpp"

namespace convoy::train {

/// Number of outputs of a network for `dataset`. Throws ConfigError if the loss does not fit the data set's
/// targets.
[[nodiscard]] std::int64_t outputs_for(const data::Dataset& dataset, const config::Options& options);
/// The loss of `options`; if it balances classes, with the weights of the data set's training labels.
[[nodiscard]] nn::LossFunction loss_for(const data::Dataset& dataset, const config::Options& options);

struct Evaluation {
  std::int64_t samples = 0;
  double loss = 0;           ///< mean over samples
  double squared_error = 0;  ///< mean over samples of Σ (target − output)²; 0 for labels
  std::int64_t correct = 0;
  std::int64_t correct_top5 = 0;

  [[nodiscard]] double accuracy() const {
    return static_cast<double>(correct) / static_cast<double>(samples);
  }
  [[nodiscard]] double top5() const {
    return static_cast<double>(correct_top5) / static_cast<double>(samples);
  }
};

/// Receives the network's outputs of samples [first, first + n), [n][outputs], in the order of the samples.
using OutputReader = std::function<void(std::int64_t first, std::span<const float> outputs)>;

/// Collective over `world`. Calls `read` on rank 0 with every rank's `mine`, [n][outputs], in rank order: the
/// outputs of consecutive samples from `first` on.
void hand_over(const comm::Communicator& world, std::span<const float> mine, std::int64_t outputs,
               std::int64_t first, const OutputReader& read);

/// Collective over `world`. Uses micro-batches of the engine's size and adds losses along the tree: the same
/// bits for any number of ranks and threads. The split must not be empty. `io_thread` reads a streamed split;
/// may be null for a split in memory. Calls `read`, if given, on rank 0.
[[nodiscard]] Evaluation evaluate(step::Engine& engine, const comm::Communicator& world,
                                  const step::Source& source, const model::State& state,
                                  io::IoThread* io_thread, const OutputReader& read = {});

}  // namespace convoy::train
