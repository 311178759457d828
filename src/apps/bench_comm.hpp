#pragma once
// convoy bench comm: what the network between the ranks can do, and what the sum of gradients makes of it.

#include <string>

#include "convoy/config/options.hpp"
#include "convoy/core/error.hpp"
#include "images.hpp"

namespace convoy::apps {

struct CommRequest {
  double seconds = 0;                ///< for one measurement
  double wire_bytes_per_second = 0;  ///< of a host; 0: as measured
  std::string json;                  ///< empty: none
};

/// Starts MPI; called by all ranks.
[[nodiscard]] ExitStatus bench_comm(const config::Options& options, const Images& images,
                                    const CommRequest& request);

}  // namespace convoy::apps
