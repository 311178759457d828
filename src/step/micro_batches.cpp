#include "convoy/step/micro_batches.hpp"

#include <string>

#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"

namespace convoy::step {

void check_ranks(const Options& options, int ranks) {
  const std::int64_t leaves = ceil_div(options.batch, options.micro_batch);
  if (ranks <= leaves) return;
  const std::string would_do =
      ranks <= options.batch
          ? "train.micro-batch = " + std::to_string((options.batch - 1) / (ranks - 1)) + " or less would do"
          : "at most " + std::to_string(options.batch) + " ranks can share a batch of " +
                std::to_string(options.batch);
  throw ConfigError("there are more ranks than micro-batches (" + std::to_string(ranks) +
                    " ranks; train.batch = " + std::to_string(options.batch) + " in micro-batches of " +
                    std::to_string(options.micro_batch) + " makes " + std::to_string(leaves) + "); " +
                    would_do + ", or start fewer ranks");
}

}  // namespace convoy::step
