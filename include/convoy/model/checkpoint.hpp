#pragma once
// Checkpoint files (src/CONTRACT.md, "Checkpoint file"): logical tensors, whole or absent. Nothing outside
// /provenance depends on how many ranks wrote one. Written by the Trainer; read by train, eval, inspect.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/comm/redistribute.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::model {

/// Where a run stands; one integer, `step`, is the position, the rest follows from the steps done.
struct Progress {
  std::int64_t step = 0;      ///< updates done
  std::int64_t epoch = 0;     ///< whole epochs finished
  std::int64_t samples = 0;   ///< seen in all
  double epoch_loss_sum = 0;  ///< of the epoch under way
  std::int64_t epoch_correct = 0;
  std::int64_t epoch_samples = 0;

  /// One update on so many samples, whose results sum to `sum`.
  void add_step(std::int64_t samples_of_step, const nn::LossResult& sum);
  /// Epoch `finished` (from 0) is done: the next begins with empty sums.
  void end_epoch(std::int64_t finished);
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

/// Who puts the bytes of a checkpoint into its file. The file is the same.
enum class Writers {
  kOne,   ///< rank 0
  kNode,  ///< a rank of every node, through MPI
  kAll,   ///< every rank, through MPI
};

/// Ranks that write, as all of them see it, and how the state comes to them.
class WriterGroup {
 public:
  /// Collective over `world`. Of `state` only what this rank keeps matters.
  WriterGroup(const comm::Communicator& world, Writers writers, const nn::Network& network,
              const State& state);
  /// Whether a thread may write while others send messages, too (communicator.hpp): one writer alone may.
  [[nodiscard]] bool may_write_beside() const { return may_write_beside_; }
  /// Moves a state of the optimizer from its owners to the writers. Empty if there is no state, or one rank
  /// alone, which keeps it as it is written.
  [[nodiscard]] const std::optional<comm::Redistribution>& redistribution() const { return redistribution_; }
  /// The writers where this rank is one of them.
  [[nodiscard]] const std::optional<comm::Communicator>& mine() const { return mine_; }
  /// All ranks.
  [[nodiscard]] const comm::Communicator& world() const { return world_; }

 private:
  comm::Communicator world_;
  std::optional<comm::Communicator> mine_;
  std::optional<comm::Redistribution> redistribution_;
  bool may_write_beside_ = true;
};

/// A copy of what one rank gives to a checkpoint; the state may change meanwhile.
struct Snapshot {
  std::vector<float>
      parameters;  ///< its rows of every tensor, one after the other; none where it does not write
  std::vector<float> statistics;  ///< likewise
  /// A state of the optimizer: State::owned of it, whoever writes it.
  struct OptimizerState {
    std::string name;
    std::vector<float> values;
  };
  std::vector<OptimizerState> optimizer;
};

/// Only copies; `memory`: an earlier snapshot, whose memory is taken (new pages cost more than copying).
[[nodiscard]] Snapshot take_snapshot(const WriterGroup& group, const nn::Network& network, const State& state,
                                     Snapshot memory = {});

/// Collective over the group's world, each rank with its snapshot; the same header and provenance on all.
/// Writes `path` beside its place, then commits it (io/commit.hpp); `before_rename` runs on rank 0. Throws
/// IoError, the same on every rank; then nothing is left behind and an older file of that name stands.
/// `gzip_level` 0: tensors lie as they are, else in compressed chunks.
void write_checkpoint(const std::string& path, const WriterGroup& group, const nn::Network& network,
                      const CheckpointHeader& header, const Snapshot& snapshot, const Provenance& provenance,
                      int gzip_level, const std::function<void()>& before_rename);

/// Throws ConfigError (no such file), IoError, DataError (damaged, or not a checkpoint).
[[nodiscard]] CheckpointHeader read_checkpoint_header(const std::string& path);

/// Reads the tensors of `network` into `state`, whose buffers have the network's sizes, and of the
/// optimizer's states in it what it keeps. Throws DataError where a tensor is missing or has another shape.
void read_checkpoint_state(const std::string& path, const nn::Network& network, State& state);

/// One tensor of a checkpoint.
struct StoredTensor {
  std::string path;
  const nn::Tensor& tensor;
  std::span<const float> values;  ///< all of it, as it is stored
};

/// Calls `f(stored, elements of the tensor, values)` with everything of `state` that this rank holds and a
/// checkpoint of `network` has too: `values` are the state's, of `elements`. Throws as
/// read_checkpoint_state().
void for_each_tensor(
    const std::string& path, const nn::Network& network, State& state,
    const std::function<void(const StoredTensor& stored, const Range& elements, float* values)>& f);

/// Throws DataError if the checksum of the file is missing or wrong; to be called before the reads above.
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

}  // namespace convoy::model
