#pragma once
// Verifies a run: repeats the steps between two of its checkpoints on any number of ranks and compares the
// bits. Writes nothing. Called by the `verify` command.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::verify {

struct ReplayRequest {
  std::string from;
  std::string to;
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best
  /// Called on rank 0 after every step with the steps done and the total.
  std::function<void(std::int64_t, std::int64_t)> progress;
};

/// One tensor or number with different bits.
struct Difference {
  std::string path;        ///< in the checkpoint: "/model/conv1/weight"
  std::int64_t count = 0;  ///< number of different elements
  std::int64_t first = 0;  ///< index of the first different element, in the tensor's logical order
  double in_file = 0;      ///< value of the first different element in `to`
  double replayed = 0;
};

struct ReplayResult {
  std::int64_t steps = 0;
  std::vector<Difference> differences;  ///< in the order of the file; empty: equal bits
  std::string isa;                      ///< of the replay
  std::string other_data;  ///< digest of the data set if `from` was trained on another one; then no steps run
  model::CheckpointHeader from;
  model::CheckpointHeader to;
};

/// Collective over `world`. `options`: from the configuration stored in `from`, with the present data.file
/// and threads. Throws ConfigError (no such file, checkpoints of different runs, wrong order), DataError
/// (damaged), and all errors of training. The same result on every rank.
[[nodiscard]] ReplayResult replay(const config::Options& options, const comm::Communicator& world,
                                  const ReplayRequest& request);

}  // namespace convoy::verify
