#pragma once
// The configuration of one training step, as plain values. A run adds its own (config/options.hpp);
// benchmarks and the communication replay need only these.

#include <cstdint>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/comm/wire.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/optim/parameter_group.hpp"

namespace convoy::step {

/// How ranks exchange gradients. Only `wire` changes the result's bits.
struct CommOptions {
  std::int64_t bucket_bytes = std::int64_t{1} << 20;  ///< largest part of a gradient that is sent at once
  bool overlap = true;                                ///< send buckets while the backward pass runs
  std::int64_t timeout_seconds = 300;  ///< without progress, the job ends with status 6; 0: no limit
  std::int64_t verify_every = 100;     ///< steps between comparisons of parameters; 0: only at an epoch's end
  bool shared_memory = true;           ///< ranks of one node access each other's memory
  comm::Reduction reduction = comm::Reduction::kTree;
  comm::Wire wire = comm::Wire::kFloat32;  ///< format of every tree node; changes bits
  bool shards_optimizer = true;  ///< true: one copy of its state over all ranks; false: one copy per node
};

struct Options {
  data::Options data;                                   ///< [data]
  optim::OptimizerOptions optimizer;                    ///< [optimizer]
  std::vector<optim::ParameterGroup> parameter_groups;  ///< [optimizer.group.NAME], in order

  std::int64_t batch = 128;       ///< [train] the global batch
  std::int64_t micro_batch = 16;  ///< effective value: min(16, batch) if not configured
  Precision precision = Precision::kFloat32;
  std::uint64_t seed = 1;

  CommOptions comm;  ///< [comm]

  std::int64_t threads = 0;  ///< [run]; 0: OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the affinity mask
};

}  // namespace convoy::step
