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
#include "convoy/dataset_file/observer.hpp"
#include "convoy/folders/folder_files.hpp"

namespace convoy::importers {

/// Imports MNIST or another data set in its format (IDX: LeCun et al., "The MNIST database of handwritten
/// digits"). `folder` contains train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
/// t10k-labels-idx1-ubyte, plain or .gz. Labels are 0 … 9.
void import_mnist(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// Imports CIFAR-10, binary version. `folder` contains data_batch_1.bin … data_batch_5.bin and
/// test_batch.bin, plain or .gz, each with any number of records of 3,073 bytes (label, 1,024 red, green,
/// blue), and batches.meta.txt with the class names (if missing, the published names are used).
void import_cifar10(const std::string& folder, const std::string& out, Observer* observer = nullptr);

/// What an importer made.
struct ImportReport {
  struct Split {
    std::string name;
    std::int64_t samples = 0;
  };
  Shape shape;
  std::int64_t classes = 0;
  std::vector<Split> splits{};
  std::vector<std::string> notes{};  ///< what was left aside or changed; sentences
};

/// How the numbers of labels become those of classes, which are 0 … K − 1.
struct LabelRules {
  enum class Values {
    kAuto,    ///< 0 … K − 1 as they are, 1 … K less one; others are an error
    kAsIs,    ///< the number of the class; K is one more than the largest
    kSorted,  ///< the values that occur in the training split, in ascending order
  };
  Values values = Values::kAuto;
  /// This value means 0 (SVHN's 10), before the rest.
  std::optional<std::int64_t> zero{};
};

/// An images file and its labels file.
struct FilePair {
  std::string images;
  std::string labels;
};

struct IdxOptions {
  /// With files of any names that say their split (train; test or t10k; validation) and what they hold
  /// (images, labels), as emnist-letters-train-images-idx3-ubyte.gz or train-images.idx3-ubyte.
  std::string folder;
  std::string out;
  std::string set{};  ///< what the names begin with; empty: that of the only set in the folder
  /// Instead of the folder: files by hand. Empty `train`: the folder; empty others: no such split.
  FilePair train{};
  FilePair test{};
  FilePair validation{};
  enum class Transpose { kAuto, kNo, kYes };
  Transpose transpose = Transpose::kAuto;  ///< kAuto: yes for names that begin with emnist
  LabelRules labels{};
};

/// Imports a data set in MNIST's format (IDX) with any names of files, any number of classes, labels of 8, 16
/// or 32 bits, and several columns of labels, of which the first is taken (QMNIST). Class names are those of
/// <set>-mapping.txt (EMNIST) if it is there, else the values of the labels.
[[nodiscard]] ImportReport import_idx(const IdxOptions& options, Observer* observer = nullptr);

enum class Cifar100Labels { kFine, kCoarse };

/// Imports CIFAR-100, binary version. `folder` contains train.bin and test.bin, plain or .gz, with records of
/// 3,074 bytes (coarse label, fine label, image as CIFAR-10's), and fine_label_names.txt and
/// coarse_label_names.txt (if missing, the numbers are the names).
[[nodiscard]] ImportReport import_cifar100(const std::string& folder, const std::string& out,
                                           Cifar100Labels labels, Observer* observer = nullptr);

/// Imports STL-10, binary version. `folder` contains train_X.bin, train_y.bin, test_X.bin and test_y.bin,
/// plain or .gz: images of 3x96x96 bytes, each plane by columns, and labels 1 … 10; and class_names.txt (if
/// missing, the published names). The images of unlabeled_X.bin are counted and left aside.
[[nodiscard]] ImportReport import_stl10(const std::string& folder, const std::string& out,
                                        Observer* observer = nullptr);

struct NpzOptions {
  std::string file;  ///< .npz; empty if `train` names files
  std::string out;
  /// Names of arrays in the file; .npy files; arrays of other archives, as F.npz:NAME, or F.npz with one
  /// array. Empty: MedMNIST's (train_images, val_labels), Keras's (x_train) and other usual names.
  FilePair train{};
  FilePair test{};
  FilePair validation{};
  std::string layout{};  ///< "NHWC", "NCHW", "NHW", ...; empty: NHW, or as the number of channels tells
  LabelRules labels{};
};

/// Imports arrays of numpy: any integers, bool, and floating-point numbers, in C or Fortran order, little or
/// big endian. Arrays of Python objects are refused. Labels: see import_mat.
[[nodiscard]] ImportReport import_npz(const NpzOptions& options, Observer* observer = nullptr);

struct MatOptions {
  std::string train;
  std::string test;  ///< empty: none
  std::string out;
  std::string images = "X";
  std::string labels_name = "y";
  std::string layout{};  ///< as MATLAB's size() says; empty: HWCN, or HWN
  LabelRules labels{};
};

/// Imports variables of MATLAB 7.3 files (HDF5). Labels are one whole number per image, in any shape, or
/// one-hot rows. Images of uint8 stay bytes; others become float32. Files of MATLAB 5 are refused with what
/// converts them.
[[nodiscard]] ImportReport import_mat(const MatOptions& options, Observer* observer = nullptr);

/// `text` in capitals. Throws ConfigError unless it is an order of N, C, H, W or N, H, W.
[[nodiscard]] std::string parsed_layout(const std::string& text);

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
