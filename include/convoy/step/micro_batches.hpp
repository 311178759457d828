#pragma once
// How many micro-batches a step has, and whether the ranks can share them.

#include "convoy/step/options.hpp"

namespace convoy::step {

/// More ranks than micro-batches cannot all work: ConfigError that says which micro-batch would do.
void check_ranks(const Options& options, int ranks);

}  // namespace convoy::step
