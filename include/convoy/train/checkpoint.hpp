#pragma once
// Checkpoint files (contract, "Checkpoint file"): logical tensors, whole or absent. Nothing outside
// /provenance depends on how many ranks wrote one. Written by the Trainer; read by train, eval, inspect.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/train/engine.hpp"

namespace convoy::train {

/// Where a run stands; one integer, `step`, is the position, the rest follows from the steps done.
struct Progress {
  std::int64_t step = 0;      ///< updates done
  std::int64_t epoch = 0;     ///< whole epochs finished
  std::int64_t samples = 0;   ///< seen in all
  double epoch_loss_sum = 0;  ///< of the epoch under way
  std::int64_t epoch_correct = 0;
  std::int64_t epoch_samples = 0;
};

/// What a checkpoint says beside its tensors.
struct CheckpointHeader {
  std::string isa;
  std::uint64_t seed = 0;
  std::string config;  ///< the effective INI
  Progress progress;
  data::InputTransform input;
  std::vector<std::string> class_names;
  std::string data_digest;
};

/// Facts that may differ between equal runs (time, hosts, versions), written under /provenance.
using Provenance = std::map<std::string, std::string>;

/// Collective over `world`; every rank holds the same header and state. Writes `path` beside its place, all
/// ranks their rows of every tensor, then commits it (io/commit.hpp); `before_rename` runs on rank 0. Throws
/// IoError; then nothing is left behind and an older file of that name stands.
void write_checkpoint(const std::string& path, const comm::Communicator& world, const nn::Network& network,
                      const CheckpointHeader& header, const State& state, const Provenance& provenance,
                      const std::function<void()>& before_rename);

/// Throws ConfigError (no such file), IoError, DataError (damaged, or not a checkpoint).
[[nodiscard]] CheckpointHeader read_checkpoint_header(const std::string& path);

/// Reads the tensors of `network` into `state`, whose buffers have the network's sizes. An empty velocity is
/// not read. Throws DataError where a tensor is missing or has another shape.
void read_checkpoint_state(const std::string& path, const nn::Network& network, State& state);

/// Throws DataError where the sum of the file is missing or wrong; to be called before the reads above.
void require_sound_checkpoint(const std::string& path);

/// XXH3-128 of every tensor under /model and /optimizer, with names and shapes, in the order of their paths:
/// the trained bits, whatever wrote them.
[[nodiscard]] Digest hash_of_checkpoint(const std::string& path);

/// True if the root attribute `format` says that this HDF5 file is a checkpoint.
[[nodiscard]] bool is_checkpoint(const std::string& path);

/// For `convoy inspect`: what is in it, a line each.
[[nodiscard]] std::string describe_checkpoint(const std::string& path);

/// "step-00000042.h5".
[[nodiscard]] std::string checkpoint_name(std::int64_t step);
/// Names in `folder` that checkpoint_name gives, the newest (largest step) first; empty where there is no
/// folder.
[[nodiscard]] std::vector<std::string> list_checkpoints(const std::string& folder);

}  // namespace convoy::train
