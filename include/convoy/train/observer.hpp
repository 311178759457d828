#pragma once
// Reports of a running training: the Trainer calls an Observer on rank 0 only; the train command prints.

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
  std::string plan{};   ///< dry run only: the kernel calls, their threads, the memory; else empty
  std::string data;     ///< file, samples, classes
  std::string output;   ///< run.dir
  std::string rate{};   ///< learning rate, if it follows from the batch (schedule.scale-lr); else empty
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t leaves = 0;  ///< micro-batches of a full step
  comm::PartialSums partial_sums;
  std::int64_t micro_batch_for_one_sum = 0;  ///< dry run only: the nearest size with f = 1; 0: none
  double idle_share = 0;       ///< share of time lost because micro-batches divide unevenly over threads
  bool shares_memory = false;  ///< ranks of one node add in its shared memory, so f counts nodes
  std::string resumed_from;    ///< empty: not resumed
  std::int64_t step = 0;       ///< updates done so far
};

/// Quality of the network's outputs.
struct Score {
  bool is_error = false;  ///< true: root mean squared error of an output (for targets); false: accuracy, 0..1
  double value = 0;
};
/// Computes the score from the mean of the samples' squared errors, the number of correct answers in
/// `samples` samples, and Split::target_size().
[[nodiscard]] Score score_of(double squared_error, std::int64_t correct, std::int64_t samples,
                             std::int64_t target_size);

struct StepReport {
  std::int64_t epoch = 0;  ///< current, from 1
  std::int64_t epochs = 0;
  std::int64_t step = 0;  ///< updates done
  std::int64_t total_steps = 0;
  double loss = 0;      ///< of this step, before its update
  Score epoch_score{};  ///< of the current epoch so far
  double rate = 0;
  double images_per_second = 0;  ///< since the last step line
  double data_wait = 0;          ///< share of that time in which rank 0 waited for images, 0..1
  double seconds_left = 0;
  bool is_line = false;  ///< a step line is written to metrics.jsonl
};

struct EpochReport {
  std::int64_t epoch = 0;  ///< just finished, from 1
  std::int64_t step = 0;
  double train_loss = 0;
  Score train_score{};
  std::string evaluated;  ///< "validation" or "test"; empty: neither
  double loss = 0;        ///< of that split
  Score score{};
  double seconds = 0;
  double images_per_second = 0;
  double data_wait = 0;     ///< share of `seconds` in which rank 0 waited for images, 0..1
  double reduced_rate = 0;  ///< learning rate of the steps to come, if the schedule plateau reduced it now
  bool is_best = false;     ///< its evaluation is the best so far (checkpoint.best)
};

/// Time of this run's steps by activity (run.profile), reported at the end.
struct ProfileReport {
  std::int64_t step = 0;   ///< updates done
  std::int64_t steps = 0;  ///< steps since the run was started or resumed
  std::vector<step::StepTimes> ranks;
};

/// A checkpoint that was written successfully.
struct CheckpointReport {
  std::string path;
  double seconds = 0;  ///< from copying the state to the complete file
  double waited = 0;   ///< time that steps of rank 0 waited for it, including the copy
};

/// Rank 0's part of the reading of the data set, before the first step.
struct LoadingReport {
  std::string_view what;   ///< "checksums", "train images"
  std::int64_t done = 0;   ///< bytes
  std::int64_t total = 0;  ///< bytes
};

/// Receives the reports of a run; each function does nothing unless overridden.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Called often, before on_start().
  virtual void on_loading(const LoadingReport& /*report*/) {}
  virtual void on_start(const StartReport& /*report*/) {}
  virtual void on_step(const StepReport& /*report*/) {}
  virtual void on_epoch(const EpochReport& /*report*/) {}
  virtual void on_checkpoint(const CheckpointReport& /*report*/) {}
  virtual void on_warning(const std::string& /*text*/) {}
  virtual void on_profile(const ProfileReport& /*report*/) {}
  virtual void on_end(ExitStatus /*status*/, const std::string& /*reason*/) {}
};

}  // namespace convoy::train
