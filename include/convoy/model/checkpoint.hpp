#pragma once
// Checkpoint files (src/CONTRACT.md, "Checkpoint file"): logical tensors, written atomically. Only
// /provenance depends on the number of ranks that wrote the file. Written by the Trainer; read by train,
// eval, inspect.

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
#include "convoy/model/progress.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/optim/plateau.hpp"

namespace convoy::model {

/// Contents of a checkpoint beside its tensors.
struct CheckpointHeader {
  std::string isa;
  std::uint64_t seed = 0;
  std::string config;  ///< the effective INI
  Progress progress;
  Position fit_begin{};  ///< begin of the current or last fit (library/model.hpp); a run has one fit
  data::InputTransform input;
  std::vector<std::string> class_names;
  std::vector<std::int64_t> label_values{};  ///< Dataset::label_values()
  std::string data_digest;
};

/// Facts that may differ between equal runs (time, nodes, versions), stored under /provenance.
using Provenance = std::map<std::string, std::string>;

/// Which ranks write a checkpoint. The file is the same.
enum class Writers {
  kOne,   ///< rank 0
  kNode,  ///< one rank per node, through MPI
  kAll,   ///< every rank, through MPI
};

/// The ranks that write (the same group on every rank), and the transfer of the state to them.
class WriterGroup {
 public:
  /// Collective over `world`. From `state`, only the parts that this rank keeps are used.
  WriterGroup(const comm::Communicator& world, Writers writers, const nn::Network& network,
              const State& state);
  /// True if a thread may write while other threads send messages (communicator.hpp): only with a single
  /// writer.
  [[nodiscard]] bool may_write_beside() const { return may_write_beside_; }
  /// Moves optimizer state from its owners to the writers. Empty if there is no state, or with a single rank,
  /// which already keeps it in file order.
  [[nodiscard]] const std::optional<comm::Redistribution>& redistribution() const { return redistribution_; }
  /// The writers' communicator if this rank is a writer.
  [[nodiscard]] const std::optional<comm::Communicator>& mine() const { return mine_; }
  /// All ranks.
  [[nodiscard]] const comm::Communicator& world() const { return world_; }

 private:
  comm::Communicator world_;
  std::optional<comm::Communicator> mine_;
  std::optional<comm::Redistribution> redistribution_;
  bool may_write_beside_ = true;
};

/// A copy of one rank's part of a checkpoint; the state may change afterwards.
struct Snapshot {
  std::vector<float> parameters;  ///< this rank's rows of every tensor; empty if it does not write
  std::vector<float> statistics;  ///< likewise
  /// One state of the optimizer: this rank's State::owned part, also if another rank writes it.
  struct OptimizerState {
    std::string name;
    std::vector<float> values;
  };
  std::vector<OptimizerState> optimizer;
};

/// Only copies. `memory`: an earlier snapshot whose memory is reused, because new pages cost more than the
/// copy.
[[nodiscard]] Snapshot take_snapshot(const WriterGroup& group, const nn::Network& network, const State& state,
                                     Snapshot memory = {});

/// Collective over the group's world: each rank passes its snapshot, all pass the same header and provenance.
/// Writes a temporary file beside `path`, then commits it (hdf5/commit.hpp); `before_rename` runs on rank 0.
/// Throws IoError, the same on every rank; then no temporary file remains and an older file `path` is
/// unchanged. `gzip_level` 0: tensors are contiguous and uncompressed; otherwise in compressed chunks.
void write_checkpoint(const std::string& path, const WriterGroup& group, const nn::Network& network,
                      const CheckpointHeader& header, const Snapshot& snapshot, const Provenance& provenance,
                      int gzip_level, const std::function<void()>& before_rename);

/// Throws ConfigError (no such file), IoError, DataError (damaged, or not a checkpoint).
[[nodiscard]] CheckpointHeader read_checkpoint_header(const std::string& path);

/// Reads the tensors of `network` into `state`, whose buffers have the network's sizes. Reads only the parts
/// of the optimizer's states that `state` keeps. Throws DataError if a tensor is missing or has a different
/// shape.
void read_checkpoint_state(const std::string& path, const nn::Network& network, State& state);

/// Paths in a checkpoint: of a parameter or statistic, and of the optimizer's state `state` for a parameter.
[[nodiscard]] std::string model_path(const nn::Tensor& tensor);
[[nodiscard]] std::string state_path(const std::string& state, const nn::Tensor& tensor);

/// One tensor of a checkpoint.
struct StoredTensor {
  std::string path;
  const nn::Tensor& tensor;
  std::span<const float> values;  ///< the whole tensor in file order
};

/// Calls `f(stored, elements, values)` for every part of `state` that this rank holds and a checkpoint of
/// `network` contains: `elements` of the tensor, with `values` in the state. Throws as
/// read_checkpoint_state() does.
void for_each_tensor(
    const std::string& path, const nn::Network& network, State& state,
    const std::function<void(const StoredTensor& stored, const Range& elements, float* values)>& f);

/// Throws DataError if the file's checksum is missing or wrong. Call before the reads above.
void require_sound_checkpoint(const std::string& path);

/// XXH3-128 of all tensors under /model and /optimizer, with names and shapes, in path order. It depends on
/// the trained bits only.
[[nodiscard]] Digest hash_of_checkpoint(const std::string& path);

/// True if the root attribute `format` says that this HDF5 file is a checkpoint.
[[nodiscard]] bool is_checkpoint(const std::string& path);

/// Describes the file for `convoy inspect`, one item per line.
[[nodiscard]] std::string describe_checkpoint(const std::string& path);

/// "step-00000042.h5".
[[nodiscard]] std::string checkpoint_name(std::int64_t step);
/// Names in `folder` in the format of checkpoint_name, largest step first; empty if the folder does not
/// exist.
[[nodiscard]] std::vector<std::string> list_checkpoints(const std::string& folder);

}  // namespace convoy::model
