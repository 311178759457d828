#pragma once
// Which images a folder of class folders holds: names alone, no file is opened. Private to the data room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/importers/import.hpp"

namespace convoy::importers {

struct FolderSplit {
  std::string name;                  ///< "train", "test", "validation"
  std::vector<std::string> files;    ///< paths below the folder
  std::vector<std::int64_t> labels;  ///< of each file

  [[nodiscard]] std::int64_t samples() const { return static_cast<std::int64_t>(files.size()); }
};

struct FolderFiles {
  std::vector<std::string> class_names;
  std::vector<FolderSplit> splits;  ///< train first; none without a file
  std::int64_t hidden = 0;
  std::vector<std::string> passed_over;
};

/// One rank. Throws ConfigError where the folder is missing or has no class folders, where a class of
/// another split is none of train, and where options.test_part is asked for beside a test split; IoError
/// where it cannot be read.
[[nodiscard]] FolderFiles list_images(const FolderOptions& options);

/// Collective: rank 0's, on every rank.
void broadcast(FolderFiles& files, const comm::Communicator& world);

/// Classes without an image in the training split.
[[nodiscard]] std::vector<std::string> empty_classes(const FolderFiles& files);

}  // namespace convoy::importers
