#pragma once
// What a run tells while it goes: the Trainer calls, on rank 0 alone; the train command prints. And the seams
// that tests alone use.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/step/hooks.hpp"
#include "convoy/step/profile.hpp"

namespace convoy::train {

/// Known before the first step.
struct StartReport {
  std::string isa;
  std::string mpi;
  std::string hdf5;
  std::vector<machine::Placement> placements;
  std::string network;  ///< nn::Network::summary()
  std::string plan{};   ///< of a dry run: the calls, who makes them, the memory; else empty
  std::string data;     ///< file, samples, classes
  std::string output;   ///< run.dir
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t leaves = 0;  ///< micro-batches of a full step
  comm::PartialSums partial_sums;
  std::int64_t micro_batch_for_one_sum = 0;  ///< of a dry run: the nearest that would make f 1; 0: none would
  double idle_share = 0;                     ///< what threads lose because micro-batches divide unevenly
  bool shares_memory = false;                ///< ranks of one host add in its memory, so that f is of hosts
  std::string resumed_from;                  ///< empty: from the start
  std::int64_t step = 0;                     ///< updates done so far
};

/// How good the network's answers are.
struct Score {
  bool is_error =
      false;  ///< of targets: the root of the mean squared error of an output; else accuracy, 0..1
  double value = 0;
};
/// From the mean loss, the right answers among so many samples, and Split::target_size().
[[nodiscard]] Score score_of(double loss, std::int64_t correct, std::int64_t samples,
                             std::int64_t target_size);

struct StepReport {
  std::int64_t epoch = 0;  ///< under way, from 1
  std::int64_t epochs = 0;
  std::int64_t step = 0;  ///< updates done
  std::int64_t total_steps = 0;
  double loss = 0;      ///< of this step, before its update
  Score epoch_score{};  ///< of the epoch so far
  double rate = 0;
  double images_per_second = 0;  ///< since the last step line
  double data_wait = 0;          ///< share of that time in which rank 0 waited for images, 0..1
  double seconds_left = 0;
  bool is_line = false;  ///< a step line of metrics.jsonl goes with it
};

struct EpochReport {
  std::int64_t epoch = 0;  ///< just finished, from 1
  std::int64_t step = 0;
  double train_loss = 0;
  Score train_score{};
  bool has_test = false;
  double test_loss = 0;
  Score test_score{};
  double seconds = 0;
  double images_per_second = 0;
  double data_wait = 0;  ///< share of `seconds` in which rank 0 waited for images, 0..1
};

/// Where the time of this run's steps went (run.profile); at its end.
struct ProfileReport {
  std::int64_t step = 0;   ///< updates done
  std::int64_t steps = 0;  ///< of them since the run was started or resumed
  std::vector<step::StepTimes> ranks;
};

/// A checkpoint that is in its place.
struct CheckpointReport {
  std::string path;
  double seconds = 0;  ///< from the copy of the state until it was there
  double waited = 0;   ///< what steps of rank 0 waited of it, the copy included
};

/// Listens to a run; every function does nothing unless overridden.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_start(const StartReport& /*report*/) {}
  virtual void on_step(const StepReport& /*report*/) {}
  virtual void on_epoch(const EpochReport& /*report*/) {}
  virtual void on_checkpoint(const CheckpointReport& /*report*/) {}
  virtual void on_warning(const std::string& /*text*/) {}
  virtual void on_profile(const ProfileReport& /*report*/) {}
  virtual void on_end(ExitStatus /*status*/, const std::string& /*reason*/) {}
};

}  // namespace convoy::train
