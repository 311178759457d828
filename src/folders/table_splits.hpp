#pragma once
// Splits whose labels a table says. Private to the folders room.

#include <string>

#include "convoy/folders/folder_files.hpp"
#include "folder_tree.hpp"

namespace convoy::importers {

/// The training split from the table options.labels: its classes are the labels that occur. Throws as
/// read_label_table, and ConfigError for one class alone.
void list_table(const FolderOptions& options, FolderFiles& found);

/// Split `name` from the table `table` of `folder`, with its images in `images` (both relative to the tree's
/// root). Throws as read_label_table, and ConfigError for a label that is no class of the training split.
void list_table_of_split(const FolderTree& tree, const std::string& name, const std::string& folder,
                         const std::string& images, const std::string& table, FolderFiles& found);

}  // namespace convoy::importers
