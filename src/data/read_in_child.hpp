#pragma once
// Reads files without a checksum, or with an unverified one, in a child process before this process reads
// them (convoy/hdf5/child_process.hpp). Private to the data room.

#include <functional>
#include <string>
#include <vector>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// Reads `files`, of the data set of `options`, in a child process each, or many small ones together in one.
/// Throws DataError, with the file, if a child does not survive. Reads up to 64 MiB of images per split and
/// child, evenly spread from the first to the last, and all other content. Call from one rank of a node.
/// `meanwhile` is called about ten times a second; what it throws ends the reading.
void read_in_child(const std::vector<std::string>& files, const Options& options,
                   const std::function<void()>& meanwhile);

}  // namespace convoy::data
