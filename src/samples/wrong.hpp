#pragma once
// Errors about the content of data set files. Private to the samples room.

#include <cstdint>
#include <span>
#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::data {

/// DataError "PROBLEM in data set FILE (OBJECT WHY); RIGHT".
[[noreturn]] void throw_wrong(const std::string& problem, const io::File& file, const std::string& object,
                              const std::string& why, const std::string& right);

/// Rejects data sets that state more than the file can hold (they are incomplete, and no memory should be
/// allocated for them), and those with a filter that this build cannot decode.
void require_stored(const io::File& file, const io::Part& part, const io::DatasetInfo& info);

/// Throws DataError for an integer of 2^63 or more among `values`, whose first is of row `first`: libhdf5 has
/// clipped it to the largest std::int64_t. `unit` is what the numbers are counted by.
void require_not_clipped(const io::File& file, const io::Part& part, const io::DatasetInfo& info,
                         std::int64_t first, std::span<const std::int64_t> values,
                         const std::string& unit = "place");

}  // namespace convoy::data
