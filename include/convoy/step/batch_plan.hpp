#pragma once
// How samples are cut into steps, steps into micro-batches, and micro-batches shared out over ranks: the one
// place where these numbers are computed. From the configuration and the size of the split alone.

#include <cstdint>

#include "convoy/core/team.hpp"
#include "convoy/step/options.hpp"

namespace convoy::step {

class BatchPlan {
 public:
  /// For steps of options.batch on a split of `samples` samples (above 0).
  BatchPlan(const Options& options, std::int64_t samples);
  /// For whole steps alone, as benchmarks make them.
  explicit BatchPlan(const Options& options) : BatchPlan(options, options.batch) {}

  [[nodiscard]] std::int64_t steps_per_epoch() const;
  /// Samples of step `step` of a run, from 0: the batch, or what an epoch's last step has left.
  [[nodiscard]] std::int64_t samples_of_step(std::int64_t step) const;
  /// Samples of the largest step: the batch, or the whole split if that is smaller.
  [[nodiscard]] std::int64_t most_samples() const;

  /// Micro-batches of `samples` samples; the last may be smaller than the others.
  [[nodiscard]] std::int64_t micro_batches(std::int64_t samples) const;
  /// Of the largest step, and of an epoch's last.
  [[nodiscard]] std::int64_t micro_batches() const { return micro_batches(most_samples()); }
  [[nodiscard]] std::int64_t micro_batches_of_last_step() const;

  /// The positions in a step's batch of the samples of micro-batches `block` (comm/tree.hpp, leaf_block);
  /// past the batch's end if its last is not whole.
  [[nodiscard]] Range positions(const Range& block) const;

  /// More ranks than micro-batches cannot all work: throws ConfigError that says which micro-batch would do.
  void require_work_for(int ranks) const;

 private:
  std::int64_t batch_;
  std::int64_t micro_batch_;
  std::int64_t samples_;
};

}  // namespace convoy::step
