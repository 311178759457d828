#include "folder_tree.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::importers {

bool FolderTree::has_folders(const std::string& below) const {
  return std::ranges::any_of(io::list_folder(path_of(below)), [&](const std::string& name) {
    return !name.starts_with('.') && io::is_folder(path_of(joined(below, name)));
  });
}

Entries FolderTree::entries_of(const std::string& below) {
  Entries entries;
  for (std::string& name : io::list_folder(path_of(below))) {
    if (name.starts_with('.')) {
      ++hidden_;
    } else if (!images::is_image_name(name) && io::is_folder(path_of(joined(below, name)))) {
      entries.folders.push_back(std::move(name));
    } else {
      entries.files.push_back(std::move(name));
    }
  }
  return entries;
}

void FolderTree::collect(const std::string& below, int depth, std::vector<std::string>& images,
                         std::vector<std::string>& others) {
  constexpr int kMostDepth = 32;
  if (depth > kMostDepth)
    throw ConfigError(fmt::format(
        "folders too deep in {} ({}); a link that points to a folder above itself should go", root_, below));
  const Entries entries = entries_of(below);
  for (const std::string& file : entries.files)
    (images::is_image_name(file) ? images : others).push_back(joined(below, file));
  for (const std::string& folder : entries.folders) collect(joined(below, folder), depth + 1, images, others);
}

}  // namespace convoy::importers
