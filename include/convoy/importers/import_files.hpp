#pragma once
// Packs HDF5 files that others made, of one sample or more each, into one data set file of Convoy's:
// thousands of small files cost an opening each, at every start of a run. Called by the `import` command, by
// all ranks.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/dataset_file/observer.hpp"
#include "convoy/samples/options.hpp"

namespace convoy::importers {

struct FilesOptions {
  /// Which files, and what in them: as for training (section [data]). Precondition: `train.images`, and
  /// `train.labels` or `train.targets`, are given.
  data::Options data;
  std::string out;
  int threads = 1;  ///< of this rank
};

struct FilesReport {
  Shape shape;
  std::string stored;        ///< "uint8", "float32"
  std::string of;            ///< what the files hold, and how many they are: "float64 NCHW in 9 files"
  std::int64_t classes = 0;  ///< or
  std::int64_t target_size = 0;
  std::vector<std::pair<std::string, std::int64_t>> splits;  ///< names and samples
  std::vector<std::string> warnings;
};

/// Collective over `world`. Samples are in the order of the files, which are sorted by the bytes of their
/// names. Images of uint8 stay so, all others become float32, as in training; a run on the new file has the
/// bits of a run on the files. The output depends on the files and options alone: ranks and threads share
/// reading and compression, block by block. Every rank returns the report. Throws as data::Dataset, IoError
/// if the file cannot be written, the error of stop_if_asked; no file remains then. Only rank 0's observer
/// (which may be null) is notified.
[[nodiscard]] FilesReport import_files(const FilesOptions& options, const comm::Communicator& world,
                                       Observer* observer = nullptr);

}  // namespace convoy::importers
