#pragma once
// Data sets as their authors publish them, read and written as ours. Every count, size and sum that the
// formats hold is checked, and no memory is taken on a header's word. Called by the `import` command;
// import_folder by all ranks, the others by one.
//
// Errors: ConfigError where the folder or a file of it is missing, DataError naming file and cause where one
// is damaged or does not fit the others, IoError where something cannot be read or written, and the error of
// stop_if_asked where the observer (which may be null) says so. No output is left behind.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/importers/observer.hpp"

namespace convoy::importers {

/// MNIST and what shares its format (IDX: LeCun et al., "The MNIST database of handwritten digits"): in
/// `folder` train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, plain or .gz. Labels are 0 … 9.
void import_mnist(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// CIFAR-10, binary version: in `folder` data_batch_1.bin … data_batch_5.bin and test_batch.bin, plain or
/// .gz, each any number of records of 3,073 bytes (label, 1,024 red, green, blue), and batches.meta.txt with
/// the class names (the published ones where it is missing).
void import_cifar10(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// What becomes of an image that is damaged, cut short or not to be decoded.
enum class OnBad {
  kStop,  ///< it is the error
  kSkip,  ///< it is left out, and the observer warned of it
};

/// How an image comes to another size.
enum class Fit {
  kStretch,  ///< both sides by their own factor
  kCrop,     ///< cut_to_ratio first: sides keep their ratio
};

struct FolderOptions {
  std::string folder;
  std::string out;
  std::optional<std::pair<std::int64_t, std::int64_t>> size;  ///< height, width; absent: all must agree
  Fit fit = Fit::kStretch;
  std::int64_t channels = 0;  ///< 1, 3; 0: 3 where any image is in colour, else 1
  OnBad on_bad = OnBad::kStop;
  double test_part = 0;    ///< of each class, where the folder has no test split; 0 … 0.9
  std::uint64_t seed = 1;  ///< chooses that part
  int threads = 1;         ///< of this rank
};

struct FolderReport {
  struct Split {
    std::string name;
    std::int64_t samples = 0;
  };
  Shape shape;
  std::vector<std::string> class_names;
  std::vector<Split> splits;
  std::int64_t left_out = 0;             ///< bad images
  std::int64_t hidden = 0;               ///< files and folders that were passed over
  std::vector<std::string> passed_over;  ///< files of other types, and those in no class's folder
};

/// Collective over `world`: images in one sub-folder a class, or in train/, test/ and validation/ (or val/)
/// with one sub-folder a class each; folders below a class's belong to the class. Classes, and the images
/// of each, in the order of their names' bytes. The file is a function of folder and options alone: ranks and
/// threads share the decoding and compressing, block by block, and decide no byte. Every rank returns the
/// report; the observer of rank 0 hears of it.
[[nodiscard]] FolderReport import_folder(const FolderOptions& options, const comm::Communicator& world,
                                         Observer* observer = nullptr);

}  // namespace convoy::importers
