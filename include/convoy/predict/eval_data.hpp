#pragma once
// Which samples `convoy eval` reads, and how: those of the run that wrote the checkpoint, or others.

#include <optional>
#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/predict/trained_network.hpp"

namespace convoy::predict {

/// What the command line says of the data.
struct EvalData {
  std::string checkpoint;
  std::string file;                  ///< a name or a pattern, as data.file
  std::string split{};               ///< empty: not said
  data::Paths paths{};               ///< in third-party files; no images: those of the run
  std::optional<data::Axes> axes{};  ///< of the images at `paths`; absent: what fits the network
};

/// How to read them.
struct EvalReading {
  data::Options options;
  std::string split;       ///< for Dataset: "test|validation|train"
  std::string train_name;  ///< of a split 'train' in reports: "/test/images"
};

/// Collective over `world`. Rank 0 compares `asked.file` with the files of the run: they are read with their
/// own labels, as in the run, and other files without labels files of the run. Throws ConfigError for options
/// that do not fit the run.
[[nodiscard]] EvalReading reading_of(const EvalData& asked, const TrainedNetwork& trained,
                                     const comm::Communicator& world);

}  // namespace convoy::predict
