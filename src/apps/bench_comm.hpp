#pragma once
// convoy bench comm: measures the network between the ranks, and the sum of gradients over it.

#include <string>

#include "convoy/config/options.hpp"
#include "convoy/core/error.hpp"
#include "random_images.hpp"

namespace convoy::apps {

struct CommRequest {
  double seconds = 0;                ///< of one measurement
  double wire_bytes_per_second = 0;  ///< of a node; 0: measure it
  std::string json;                  ///< file name; empty: none
};

/// Starts MPI; called by all ranks.
[[nodiscard]] ExitStatus bench_comm(const config::Options& options, const Images& images,
                                    const CommRequest& request);

}  // namespace convoy::apps
