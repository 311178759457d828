#pragma once
// Proof of what ran: the steps between two checkpoints of a run done again, on any number of ranks, and the
// bits compared. Nothing is written. Called by the `verify` command.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/model/checkpoint.hpp"

namespace convoy::train {

struct ReplayRequest {
  std::string from;
  std::string to;
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best; the lowest of all ranks is used
  /// Called on rank 0 after every step: done, and all there are.
  std::function<void(std::int64_t, std::int64_t)> progress;
};

/// One tensor, or number, whose bits differ.
struct Difference {
  std::string path;        ///< in the checkpoint: "/model/conv1/weight"
  std::int64_t count = 0;  ///< of its elements
  std::int64_t first = 0;  ///< index of the first of them, in its logical order
  double in_file = 0;      ///< that element in `to`
  double replayed = 0;
};

struct ReplayResult {
  std::int64_t steps = 0;
  std::vector<Difference> differences;  ///< in the order of the file; empty: the same bits
  std::string isa;                      ///< of the replay
  std::string other_data;  ///< digest of a data set that `from` was not trained on; then no steps
  model::CheckpointHeader from;
  model::CheckpointHeader to;
};

/// Collective over `world`; `options` are those stored in `from`, with data.file and threads as they are to
/// be now. Throws ConfigError (no such file, the two are not of one run, not in this order), DataError
/// (damaged), and what training throws. The same result on every rank.
[[nodiscard]] ReplayResult replay(const config::Options& options, const comm::Communicator& world,
                                  const ReplayRequest& request);

}  // namespace convoy::train
