#pragma once
// What one training step reads of the configuration, as plain values. A run adds its own (train/options.hpp);
// benchmarks and the communication replay need no more than this.

#include <cstdint>

#include "convoy/comm/reducer.hpp"
#include "convoy/comm/wire.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/optim/optimizers.hpp"

namespace convoy::step {

/// How ranks exchange gradients. None of it decides a bit.
struct CommOptions {
  std::int64_t bucket_bytes = std::int64_t{1} << 20;  ///< most of a gradient that goes on its way together
  bool overlap = true;                                ///< buckets leave while the backward pass still runs
  std::int64_t timeout_seconds = 300;  ///< without progress the job ends with status 6; 0: never
  std::int64_t verify_every = 100;  ///< steps between comparisons of parameters; 0: at each epoch's end alone
  bool shared_memory = true;        ///< ranks of one host work in each other's memory
  comm::Reduction reduction = comm::Reduction::kTree;
  comm::Wire wire = comm::Wire::kFloat32;  ///< of every node of the tree: decides bits
  bool shards_optimizer = true;            ///< its state is held once over all ranks, else once a host
};

struct Options {
  data::Options data;                 ///< [data]
  optim::OptimizerOptions optimizer;  ///< [optimizer]

  std::int64_t batch = 128;       ///< [train] the global batch
  std::int64_t micro_batch = 16;  ///< as effective: min(16, batch) if the configuration does not say
  kernels::Precision precision = kernels::Precision::kFloat32;
  std::uint64_t seed = 1;

  CommOptions comm;  ///< [comm]

  std::int64_t threads = 0;  ///< [run]; 0: OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the affinity mask
};

}  // namespace convoy::step
