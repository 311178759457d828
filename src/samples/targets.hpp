#pragma once
// Targets of one file: numbers to predict, in the shapes in which people store them. Private to the samples
// room.

#include <cstdint>
#include <string>

#include "convoy/hdf5/file.hpp"

namespace convoy::data {

/// The samples of a file whose images are elsewhere.
inline constexpr std::int64_t kUnknownSamples = -1;

/// The targets of one file.
struct Targets {
  std::int64_t samples;
  std::int64_t size;  ///< numbers per sample
  std::int64_t rows_a_sample = 1;
};

/// The targets of `samples` images ("/x"), or of as many as there are (kUnknownSamples). Throws DataError.
[[nodiscard]] Targets targets_of(const io::File& file, const io::Part& part, const io::DatasetInfo& info,
                                 std::int64_t samples, const std::string& images);

}  // namespace convoy::data
