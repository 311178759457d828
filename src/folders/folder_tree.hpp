#pragma once
// The folders and files below one folder. Opens no file. Private to the folders room.

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::importers {

struct Entries {
  std::vector<std::string> folders;  ///< names, sorted by bytes
  std::vector<std::string> files;
};

/// Paths named `below` are relative to the root; "" is the root. Names that begin with a dot are only
/// counted.
class FolderTree {
 public:
  explicit FolderTree(std::string root) : root_(std::move(root)) {}

  [[nodiscard]] std::string path_of(const std::string& below) const {
    return below.empty() ? root_ : root_ + '/' + below;
  }
  static std::string joined(const std::string& below, const std::string& name) {
    return below.empty() ? name : below + '/' + name;
  }

  [[nodiscard]] bool has_folders(const std::string& below) const;

  /// A name of an image is taken as a file without a check: a check per image is slow on a network file
  /// system.
  Entries entries_of(const std::string& below);

  /// Appends the images at any depth to `images`, other files to `others`. Throws ConfigError if folders lie
  /// too deep.
  void collect(const std::string& below, std::vector<std::string>& images, std::vector<std::string>& others) {
    collect(below, 0, images, others);
  }

  /// Hidden entries met so far.
  [[nodiscard]] std::int64_t hidden() const { return hidden_; }

 private:
  void collect(const std::string& below, int depth, std::vector<std::string>& images,
               std::vector<std::string>& others);

  std::string root_;
  std::int64_t hidden_ = 0;
};

}  // namespace convoy::importers
