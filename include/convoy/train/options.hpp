#pragma once
// Everything a run is told: the configuration, parsed and checked, as plain values. The config room fills it
// from INI files and the command line; tests fill it by hand.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/nn/layer_line.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/optim/schedule.hpp"
#include "convoy/optim/sgd.hpp"

namespace convoy::train {

/// Who puts the bytes of a checkpoint into its file. The file is the same.
enum class Writers {
  kOne,   ///< rank 0
  kNode,  ///< a rank of every node, through MPI
  kAll,   ///< every rank, through MPI
};

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

/// One run's configuration; section by section as in the file (src/CONTRACT.md, "Configuration").
struct Options {
  data::Options data;  ///< [data]

  std::vector<nn::LayerText> layers;                       ///< [network] layer, in order
  nn::LossKind loss = nn::LossKind::kSoftmaxCrossEntropy;  ///< [network] loss

  optim::SgdOptions optimizer;      ///< [optimizer]
  optim::ScheduleOptions schedule;  ///< [schedule]

  std::int64_t epochs = 10;       ///< [train]
  std::int64_t batch = 128;       ///< the global batch
  std::int64_t micro_batch = 16;  ///< as effective: min(16, batch) where the configuration is silent
  std::int64_t max_steps = 0;     ///< 0: epochs decide
  kernels::Precision precision = kernels::Precision::kFloat32;
  std::uint64_t seed = 1;

  CommOptions comm;  ///< [comm]

  std::string dir;           ///< [run] dir
  std::int64_t threads = 0;  ///< 0: OMP_NUM_THREADS, else SLURM_CPUS_PER_TASK, else the affinity mask
  std::int64_t log_every = 50;
  std::int64_t max_seconds = 0;  ///< [run] max-time
  bool profile = false;          ///< tell where the time of the steps went

  std::int64_t checkpoint_every_epochs = 1;  ///< [checkpoint]; 0: not by epochs
  std::int64_t checkpoint_every_steps = 0;
  bool checkpoint_at_start = false;
  std::int64_t keep = 3;
  bool checkpoint_async = true;         ///< written while steps go on
  std::int64_t checkpoint_retries = 3;  ///< failures in a row that a run survives
  Writers checkpoint_writers = Writers::kOne;
  int checkpoint_gzip = 0;  ///< level; 0: as they are

  std::string default_ini;  ///< the same where nothing is configured: what a key that is not stored stood for
  std::string effective_ini;  ///< the whole effective configuration as an INI file, stored in checkpoints
};

}  // namespace convoy::train
