#pragma once
// Lists the images of a folder of class folders; opens no file. Private to the importers room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/importers/import.hpp"

namespace convoy::importers {

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

}  // namespace convoy::importers
