#pragma once
// A network as a checkpoint holds it, to evaluate it and to predict.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::predict {

struct TrainedNetwork {
  model::CheckpointHeader header;
  config::Options options;  ///< of the run that wrote the checkpoint
  nn::Network network;
  model::State state;  ///< parameters and statistics; the optimizer's states only if asked for
};

/// What to read of a checkpoint's state.
enum class StateParts { kValues, kAll };

/// Collective over `world`. Verifies the checkpoint's checksum and reads it on every rank. Throws ConfigError
/// (no such file), IoError, DataError (damaged, not a checkpoint, of another network).
[[nodiscard]] TrainedNetwork read_trained_network(const std::string& checkpoint,
                                                  const comm::Communicator& world,
                                                  StateParts parts = StateParts::kValues);

}  // namespace convoy::predict
