#pragma once
// Lists the images of a folder of class folders, or of a table of files and labels; opens no image. Called by
// import_folder().

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/images/image.hpp"
#include "convoy/images/image_file.hpp"

namespace convoy::importers {

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
  /// Columns of `labels`: a name of its header or a number from 1; empty: the header's usual names decide.
  std::string file_column{};
  std::string label_column{};
};

struct FolderSplit {
  std::string name;                  ///< "train", "test", "validation"
  std::vector<std::string> files;    ///< paths relative to the folder
  std::vector<std::int64_t> labels;  ///< one per file

  [[nodiscard]] std::int64_t samples() const { return static_cast<std::int64_t>(files.size()); }
};

struct FolderFiles {
  std::vector<std::string> class_names;
  std::vector<FolderSplit> splits;  ///< train first; each has at least one file
  std::int64_t hidden = 0;
  std::vector<std::string> passed_over;
  std::vector<std::string> warnings;  ///< of rank 0 alone
};

/// One rank. Throws ConfigError if the folder is missing or has no class folders, if a class of another split
/// is not in train, or if options.test_part is set although there is a test split; IoError if the folder
/// cannot be read.
[[nodiscard]] FolderFiles list_images(const FolderOptions& options);

/// Collective. Broadcasts rank 0's list to all ranks.
void broadcast(FolderFiles& files, const comm::Communicator& world);

/// The first names of a long list, for messages.
[[nodiscard]] std::string first_names(const std::vector<std::string>& names);

/// Warns if every class folder of the training split holds folders of the same names: those may be the
/// classes.
void note_equal_folders(FolderFiles& files);

/// Names of classes without images in the training split.
[[nodiscard]] std::vector<std::string> empty_classes(const FolderFiles& files);

/// "which has 3 classes: ape, bee, cat", for messages.
[[nodiscard]] std::string training_classes(const FolderFiles& files);

/// Moves images of each class to the test split if options.test_part is set: of n images, the round(n·part)
/// with the smallest hash of seed and name, at most n − 1. Throws ConfigError if there is a test split.
void set_test_part_apart(const FolderOptions& options, FolderFiles& found);

}  // namespace convoy::importers
