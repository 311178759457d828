#pragma once
// Reads files without a checksum, or with an unverified one, in a child process before this process reads
// them (convoy/io/child_process.hpp). Private to the data room.

#include <string>

#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// Reads `path`, a file of the data set of `options`, in a child process. Throws DataError if the child does
/// not survive. Reads up to 64 MiB of images per split, evenly spread from the first to the last, and all
/// other content. Call from one rank of a node.
void read_in_child(const std::string& path, const Options& options);

}  // namespace convoy::data
