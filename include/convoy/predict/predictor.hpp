#pragma once
// Asks a trained network about images, on all ranks and threads; the same bits on any number of them. Called
// by the predict command.

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/images/image.hpp"

namespace convoy::predict {

struct Request {
  std::string checkpoint;
  std::vector<std::string> inputs;  ///< inputs.hpp
  std::optional<data::Axes> axes;  ///< of images in HDF5 files; absent: those of the run if they fit, or NCHW
  std::optional<images::Fit> fit;  ///< of image files; absent: another shape is an error
  std::int64_t most = 5;           ///< classes to show
  int threads = 1;
  bool as_json = false;
  std::string csv;  ///< file to write; empty: none
  std::string out;  ///< HDF5 file to write; empty: none
};

/// Collective over `world`. Writes a line per input to `text` on rank 0, or the files that are asked for and
/// a line about each. Throws ConfigError, DataError and IoError of the checkpoint, the inputs and the files,
/// the same on every rank; then no file is left.
void run(const Request& request, const comm::Communicator& world, std::ostream& text);

}  // namespace convoy::predict
