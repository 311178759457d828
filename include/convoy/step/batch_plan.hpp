#pragma once
// Splits samples into steps, steps into micro-batches, and micro-batches over ranks. All these numbers are
// computed here, from the configuration and the split's size only.

#include <cstdint>

#include "convoy/core/team.hpp"
#include "convoy/step/options.hpp"

namespace convoy::step {

class BatchPlan {
 public:
  /// For steps of options.batch samples on a split of `samples` samples (above 0).
  BatchPlan(const Options& options, std::int64_t samples);
  /// For whole steps only, as in benchmarks.
  explicit BatchPlan(const Options& options) : BatchPlan(options, options.batch) {}

  [[nodiscard]] std::int64_t steps_per_epoch() const;
  /// Samples of step `step` of a run (from 0): the batch; in an epoch's last step, the remaining samples.
  [[nodiscard]] std::int64_t samples_of_step(std::int64_t step) const;
  /// Samples of the largest step: the batch, or the whole split if it is smaller.
  [[nodiscard]] std::int64_t most_samples() const;

  /// Number of micro-batches for `samples` samples; the last one may be smaller.
  [[nodiscard]] std::int64_t micro_batches(std::int64_t samples) const;
  /// Micro-batches of the largest step, and of an epoch's last step.
  [[nodiscard]] std::int64_t micro_batches() const { return micro_batches(most_samples()); }
  [[nodiscard]] std::int64_t micro_batches_of_last_step() const;

  /// Positions in a step's batch of the samples of micro-batches `block` (comm/tree.hpp, leaf_block). The
  /// range exceeds the batch's end if the last micro-batch is not whole.
  [[nodiscard]] Range positions(const Range& block) const;

  /// Throws ConfigError if there are more ranks than micro-batches; the message suggests a micro-batch size.
  void require_work_for(int ranks) const;

 private:
  std::int64_t batch_;
  std::int64_t micro_batch_;
  std::int64_t samples_;
};

}  // namespace convoy::step
