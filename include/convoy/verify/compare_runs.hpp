#pragma once
// Where two runs that should have the same bits part: the first checkpoint, the first step, the first layer.
// Called by `verify --runs`.
//
// Checkpoints tell between which steps. Records of every step (model/step_hashes.hpp) tell the step, and what
// in it differs first. The steps from the last common checkpoint on are done again here: this tells which of
// the two runs is wrong, and stands for the record of a run that has none.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/model/step_hashes.hpp"
#include "convoy/verify/replay.hpp"

namespace convoy::verify {

struct RunsRequest {
  std::string a;  ///< run.dir
  std::string b;
  std::string data{};        ///< the data set, where it is not where A found it; empty: there
  std::int64_t threads = 0;  ///< of a rank; 0: as train chooses them
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best
  /// Called on rank 0 after every replayed step with the steps done and the total.
  std::function<void(std::int64_t, std::int64_t)> progress;
};

/// The first step in which two computations differ.
struct Parting {
  std::int64_t step = 0;
  std::vector<model::HashedPart> parts;  ///< that differ, in the order in which a step computes them
};

/// What became of one run against the replay.
struct Replayed {
  std::string dir;
  std::string isa;                      ///< instruction set of the run's first steps
  std::optional<Parting> parting;       ///< by the run's record
  std::vector<Difference> differences;  ///< from the run's checkpoint where the replay ended, if it has one
  bool is_compared = false;             ///< there was a record or a checkpoint to compare with

  [[nodiscard]] bool agrees() const { return is_compared && !parting && differences.empty(); }
};

struct RunsComparison {
  std::int64_t common = 0;                      ///< checkpoints of the same step
  std::optional<std::int64_t> last_equal;       ///< step of the last common checkpoint with the same bits
  std::optional<std::int64_t> first_different;  ///< of the first one with others
  bool have_records = false;                    ///< both runs recorded some of the same steps
  std::int64_t last_recorded = 0;               ///< last step in both records
  std::optional<Parting> recorded;              ///< where the records part
  std::string isa;                              ///< of the replay
  std::int64_t replayed_from = 0;
  std::int64_t replayed_to = 0;    ///< replayed_from: nothing was replayed
  std::vector<Replayed> replayed;  ///< A and B

  [[nodiscard]] bool agrees() const { return !first_different && !recorded; }
};

/// Collective over `world`. Throws ConfigError (no run, different runs, other data), DataError (damaged), and
/// all errors of training. The same result on every rank.
[[nodiscard]] RunsComparison compare_runs(const comm::Communicator& world, const RunsRequest& request);

/// A report, several lines.
[[nodiscard]] std::string to_text(const RunsComparison& comparison, const RunsRequest& request);

}  // namespace convoy::verify
