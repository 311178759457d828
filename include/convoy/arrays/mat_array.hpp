#pragma once
// Variables of MATLAB 7.3 files, which are HDF5 files. MATLAB stores by columns, so the extents are in
// reverse order: the last of MATLAB's size() comes first. Called by the importers.

#include <memory>
#include <string>
#include <vector>

#include "convoy/arrays/array_reader.hpp"

namespace convoy::arrays {

/// Opens the numeric variables `names` of a file, after a child process has read a sample of each: libhdf5
/// crashes on some damaged files. Throws ConfigError (missing), DataError: another kind of file (MATLAB 5:
/// with what converts it), no such variable, no numbers in it.
[[nodiscard]] std::vector<std::unique_ptr<ArrayReader>> open_mat(const std::string& path,
                                                                 const std::vector<std::string>& names);

}  // namespace convoy::arrays
