#pragma once
// Files that carry no checksum, or one that was not checked, are read by a child process before this one does
// (convoy/io/child_process.hpp). Private to the data room.

#include <string>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// Throws DataError where a child process that makes the calls of reading `path`, a file of the data set that
/// `options` describe, does not live to its end. Of images it reads up to 64 MiB a split, evenly spread
/// from the first to the last, of all else all of it. One rank of a node calls.
void read_in_child(const std::string& path, const Options& options);

}  // namespace convoy::data
