#pragma once
// Class folders that may be none. Private to the folders room.

#include <string>
#include <vector>

#include "folder_tree.hpp"

namespace convoy::importers {

/// Warns, with what to type, if the folders of `below` are named like kinds of files ("images", "masks") or
/// if a table lies beside them; `entries` are those of `below`.
void note_doubtful_classes(const FolderTree& tree, const std::string& below, const Entries& entries,
                           std::vector<std::string>& warnings);

}  // namespace convoy::importers
