#pragma once
// A training run from its options to its last checkpoint: the loop, and everything it keeps in step on all
// ranks.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/error.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/train/observer.hpp"

namespace convoy::train {

/// What somebody asked the run to do at the end of its present step. Set by signal handlers; ranks agree on
/// the largest.
enum class Request : int { kNothing = 0, kCheckpoint = 1, kLeave = 2 };

enum class Resume {
  kNever,  ///< run.dir must hold no checkpoint
  kAuto,   ///< from the newest sound checkpoint of run.dir, else from the start
  kPath,   ///< from the named checkpoint
};

/// How a run is started, beside its configuration.
struct Launch {
  Resume resume = Resume::kNever;
  std::string resume_path;                     ///< for Resume::kPath
  bool resume_anyway = false;                  ///< also where configuration or data differ
  bool dry_run = false;                        ///< check and report, then stop before anything is written
  std::string command_line;                    ///< for /provenance
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best; the lowest of all ranks is used
  std::atomic<int>* request = nullptr;         ///< a Request; null: nobody asks
  std::atomic<std::int64_t>* step = nullptr;   ///< kept at the step under way; null: nobody asks
  std::chrono::steady_clock::time_point begun =
      std::chrono::steady_clock::now();  ///< from here run.max-time counts
  Observer* observer = nullptr;          ///< called on rank 0; null: nobody listens
  step::Hooks hooks;                     ///< tests alone
};

/// Collective over `world`: every rank calls with the same options. Returns kDone, or kStoppedEarly where the
/// run left before its end with a checkpoint written. Throws the Error that ended it: ConfigError before
/// anything is written; DataError, IoError, DivergedError, DisagreementError.
[[nodiscard]] ExitStatus train(const config::Options& options, const comm::Communicator& world,
                               const Launch& launch);

}  // namespace convoy::train
