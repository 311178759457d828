#pragma once
// Weights from files of other tools, for the network of a checkpoint.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convoy/exchange/exported_network.hpp"

namespace convoy::exchange {

/// Reads all floating-point tensors of a file: safetensors, npz (numpy.savez) or ONNX, as its name ends.
/// Throws ConfigError (no such file, another ending), IoError, DataError (damaged, not of this format).
[[nodiscard]] std::vector<ExportedTensor> read_weights(const std::string& path);

/// Pairs of a tensor's name in the network and its name in a file.
using NamePairs = std::vector<std::pair<std::string, std::string>>;

/// Reads pairs from the lines of a text file; '#' begins a comment. Throws IoError, and ConfigError for a
/// line that has not two words.
[[nodiscard]] NamePairs read_names(const std::string& path);

/// One tensor of a network, and the tensor of the file that it gets.
struct Match {
  std::string name;    ///< in the network: "conv1.weight"
  std::string source;  ///< in the file
  Dims dims;
};

struct ImportReport {
  std::vector<Match> matches;       ///< all tensors of the network, in order
  std::vector<std::string> unused;  ///< tensors of the file that the network does not have
};

/// Assigns all parameters and statistics of `trained` from `tensors` of file `path`. A tensor is matched by
/// its name (exported_names()), with any prefix of the file's names that all of them share ("module."), or by
/// `names`: pairs of a name in the network and a name in the file. Throws DataError that lists what is
/// missing or has another shape; then nothing is assigned.
[[nodiscard]] ImportReport import_weights(predict::TrainedNetwork& trained,
                                          const std::vector<ExportedTensor>& tensors, const NamePairs& names,
                                          const std::string& path);

/// Writes `trained` as a checkpoint before its first step, with the source of its weights. Throws IoError.
void write_imported(const predict::TrainedNetwork& trained, const std::string& path,
                    const std::string& source);

}  // namespace convoy::exchange
