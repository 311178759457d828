#include "convoy/step/batch_plan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <string>

#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"

namespace convoy::step {

BatchPlan::BatchPlan(const Options& options, std::int64_t samples)
    : batch_(options.batch), micro_batch_(options.micro_batch), samples_(samples) {
  assert(samples > 0);
}

std::int64_t BatchPlan::steps_per_epoch() const {
  return ceil_div(samples_, batch_);
}

std::int64_t BatchPlan::samples_of_step(std::int64_t step) const {
  return std::min(batch_, samples_ - step % steps_per_epoch() * batch_);
}

std::int64_t BatchPlan::most_samples() const {
  return std::min(batch_, samples_);
}

std::int64_t BatchPlan::micro_batches(std::int64_t samples) const {
  return ceil_div(samples, micro_batch_);
}

std::int64_t BatchPlan::micro_batches_of_last_step() const {
  return micro_batches(samples_of_step(steps_per_epoch() - 1));
}

Range BatchPlan::positions(const Range& block) const {
  return {block.begin * micro_batch_, block.end * micro_batch_};
}

void BatchPlan::require_work_for(int ranks) const {
  // Checks a whole batch only: a smaller data set leaves ranks idle, which is not a configuration error.
  const std::int64_t most = micro_batches(batch_);
  if (ranks <= most) return;
  const std::string would_do = ranks <= batch_
                                   ? fmt::format("train.micro-batch = {} or less would do", batch_ / ranks)
                                   : fmt::format("at most {} ranks can share a batch of {}", batch_, batch_);
  throw ConfigError(
      fmt::format("there are more ranks than micro-batches ({} ranks; train.batch = {} in micro-batches of "
                  "{} makes {}); {}, or start fewer ranks",
                  ranks, batch_, micro_batch_, most, would_do));
}

}  // namespace convoy::step
