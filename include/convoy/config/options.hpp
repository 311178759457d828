#pragma once
// The parsed and checked configuration as plain values. Filled from INI files and the command line
// (config.hpp), or by hand; the table of keys (keys.hpp) converts it to text and compares it.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/layers/layer_line.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/model/step_hashes.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/optim/schedule.hpp"
#include "convoy/step/options.hpp"

namespace convoy::config {

/// Configuration of one run: the step's options, and options of the run around the steps, in the order of the
/// file's sections (src/CONTRACT.md, "Configuration").
struct Options : step::Options {
  std::int64_t outputs = 0;           ///< of the last layer with weights; 0: as the layers say
  std::vector<nn::LayerText> layers;  ///< [network] layer, in order
  nn::LossFunction loss;              ///< [network] loss and its parameters

  optim::ScheduleOptions schedule;  ///< [schedule]

  std::int64_t epochs = 10;    ///< [train]
  std::int64_t max_steps = 0;  ///< 0: `epochs` is the only limit
  std::int64_t patience = 0;   ///< epochs without a better evaluation that end the run; 0: none

  std::string dir;  ///< [run] dir
  std::int64_t log_every = 50;
  std::int64_t max_seconds = 0;                 ///< [run] max-time
  bool profile = false;                         ///< report the time of steps by activity
  model::Hashed hashes = model::Hashed::kNone;  ///< what of every step is recorded in hashes.jsonl

  std::int64_t checkpoint_every_epochs = 1;  ///< [checkpoint]; 0: none by epoch
  std::int64_t checkpoint_every_steps = 0;
  bool checkpoint_at_start = false;
  std::int64_t keep = 3;
  model::BestBy best = model::BestBy::kNone;  ///< also kept, beside the newest
  bool checkpoint_async = true;               ///< write while steps run
  std::int64_t checkpoint_retries = 3;        ///< consecutive failures that a run tolerates
  model::Writers checkpoint_writers = model::Writers::kOne;
  int checkpoint_gzip = 0;  ///< compression level; 0: uncompressed
};

}  // namespace convoy::config
