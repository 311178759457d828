#pragma once
// Errors about the content of data set files. Private to the samples room.

#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::data {

/// DataError "PROBLEM in data set FILE (OBJECT WHY); RIGHT".
[[noreturn]] void throw_wrong(const std::string& problem, const io::File& file, const std::string& object,
                              const std::string& why, const std::string& right);

/// Rejects data sets that state more than the file can hold (they are incomplete, and no memory should be
/// allocated for them), and those with a filter that this build cannot decode.
void require_stored(const io::File& file, const io::Part& part, const io::DatasetInfo& info);

}  // namespace convoy::data
