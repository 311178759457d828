#pragma once
// Everything a run is told: the configuration, parsed and checked, as plain values. Filled from INI files and
// the command line (config.hpp), or by hand; the table of keys (keys.hpp) turns any of them into text and
// compares them.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/model/checkpoint.hpp"
#include "convoy/nn/layer_line.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/optim/schedule.hpp"
#include "convoy/step/options.hpp"

namespace convoy::config {

/// One run's configuration: what a step reads, and what only the run around the steps reads; section by
/// section as in the file (src/CONTRACT.md, "Configuration").
struct Options : step::Options {
  std::vector<nn::LayerText> layers;                       ///< [network] layer, in order
  nn::LossKind loss = nn::LossKind::kSoftmaxCrossEntropy;  ///< [network] loss

  optim::ScheduleOptions schedule;  ///< [schedule]

  std::int64_t epochs = 10;    ///< [train]
  std::int64_t max_steps = 0;  ///< 0: epochs decide

  std::string dir;  ///< [run] dir
  std::int64_t log_every = 50;
  std::int64_t max_seconds = 0;  ///< [run] max-time
  bool profile = false;          ///< tell where the time of the steps went

  std::int64_t checkpoint_every_epochs = 1;  ///< [checkpoint]; 0: not by epochs
  std::int64_t checkpoint_every_steps = 0;
  bool checkpoint_at_start = false;
  std::int64_t keep = 3;
  bool checkpoint_async = true;         ///< written while steps go on
  std::int64_t checkpoint_retries = 3;  ///< failures in a row that a run survives
  model::Writers checkpoint_writers = model::Writers::kOne;
  int checkpoint_gzip = 0;  ///< level; 0: as they are
};

}  // namespace convoy::config
