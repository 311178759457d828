#pragma once
// Converts published data sets to Convoy's format. Verifies every count, size and checksum of the source
// formats; allocates no memory because of an unverified header. Called by the `import` command: import_folder
// by all ranks, the others by one.
//
// Errors: ConfigError if the folder or one of its files is missing; DataError with file and cause if a file
// is damaged or does not match the others; IoError if something cannot be read or written; the error of
// stop_if_asked if the observer (which may be null) requests a stop. After an error no output file remains.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/images/image.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/importers/observer.hpp"

namespace convoy::importers {

/// Imports MNIST or another data set in its format (IDX: LeCun et al., "The MNIST database of handwritten
/// digits"). `folder` contains train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, plain or .gz. Labels are 0 … 9.
void import_mnist(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// Imports CIFAR-10, binary version. `folder` contains data_batch_1.bin … data_batch_5.bin and
/// test_batch.bin, plain or .gz, each with any number of records of 3,073 bytes (label, 1,024 red, green,
/// blue), and batches.meta.txt with the class names (if missing, the published names are used).
void import_cifar10(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// Handling of an image that is damaged, truncated or cannot be decoded.
enum class OnBad {
  kStop,  ///< throw its error
  kSkip,  ///< leave it out and warn the observer
};

struct FolderOptions {
  std::string folder;
  std::string out;
  /// Height, width; absent: all images must have equal size.
  std::optional<std::pair<std::int64_t, std::int64_t>> size;
  images::Fit fit = images::Fit::kStretch;
  /// 1 or 3; 0: 3 if any image is in colour, else 1.
  std::int64_t channels = 0;
  OnBad on_bad = OnBad::kStop;
  double test_part = 0;    ///< fraction of each class if the folder has no test split; 0 … 0.9
  std::uint64_t seed = 1;  ///< selects the images of test_part
  int threads = 1;         ///< of this rank
  images::Exif exif = images::Exif::kApply;
  std::string labels{};  ///< table of file and label (CSV), instead of class folders; empty: none
};

struct FolderReport {
  struct Split {
    std::string name;
    std::int64_t samples = 0;
  };
  Shape shape;
  std::vector<std::string> class_names;
  std::vector<Split> splits;
  std::int64_t left_out = 0;             ///< number of bad images
  std::int64_t turned = 0;               ///< number of images turned upright
  std::int64_t hidden = 0;               ///< number of hidden files and folders, which are ignored
  std::vector<std::string> passed_over;  ///< ignored files: of other types, or outside the class folders
};

/// Collective over `world`. Imports images from one sub-folder per class, or from train/, test/ and
/// validation/ (in any of their usual spellings) with one sub-folder per class each, or as a table of labels
/// says. Images in nested folders belong to the class. Classes, and images of a class, are sorted by the
/// bytes of their names. The output depends only on folder and options: ranks and threads share decoding and
/// compression, block by block, without effect on any byte. Every rank returns the report; only rank 0's
/// observer is notified.
[[nodiscard]] FolderReport import_folder(const FolderOptions& options, const comm::Communicator& world,
                                         Observer* observer = nullptr);

}  // namespace convoy::importers
