#pragma once
// A training run from its options to its last checkpoint: the training loop, consistent on all ranks.

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

/// Request to a run, served at the end of its current step. Set by signal handlers; the ranks use the
/// largest.
enum class Request : int { kNothing = 0, kCheckpoint = 1, kLeave = 2 };

enum class Resume {
  kNever,  ///< run.dir must hold no checkpoint
  kAuto,   ///< from the newest intact checkpoint of run.dir, else from the start
  kPath,   ///< from the named checkpoint
};

/// How to start a run, beside its configuration.
struct Launch {
  Resume resume = Resume::kNever;
  std::string resume_path;                     ///< for Resume::kPath
  bool resume_anyway = false;                  ///< resume even if configuration or data differ
  bool take_over = false;                      ///< of run.dir, from another run that is alive
  bool dry_run = false;                        ///< check and report, then stop before writing anything
  std::string command_line;                    ///< for /provenance
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best
  std::atomic<int>* request = nullptr;         ///< a Request; null: no requests
  std::atomic<std::int64_t>* step = nullptr;   ///< assigned the current step; null: not needed
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();  ///< start of run.max-time
  Observer* observer = nullptr;  ///< called on rank 0; null: no reports
  step::Hooks hooks;             ///< only for tests
};

/// Collective over `world`: every rank calls with the same options. Returns kDone, or kStoppedEarly if the
/// run stopped before its end after writing a checkpoint (before its first step, by an Error of that status).
/// Throws the Error that ended the run: ConfigError before anything is written; DataError, IoError,
/// DivergedError, DisagreementError.
[[nodiscard]] ExitStatus train(const config::Options& options, const comm::Communicator& world,
                               const Launch& launch);

}  // namespace convoy::train
