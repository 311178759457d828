#pragma once
// MNIST's IDX format: two zeros, the type and the number of dimensions (a byte each), the extents (32 bits
// each, big-endian), then the numbers, big-endian. Private to the importers room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "source_files.hpp"

namespace convoy::importers {

/// Images, positioned behind the header.
struct IdxImages {
  ByteStream stream;
  std::int64_t samples = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
};
/// Labels, positioned behind the header.
struct IdxLabels {
  ByteStream stream;
  std::int64_t samples = 0;
  std::int64_t columns = 1;
  unsigned type = 0;
};

/// Reads the headers of files that belong together. Throws DataError: another format, counts that differ,
/// more images than the file can hold, no images, sides over 65,535.
[[nodiscard]] std::pair<IdxImages, IdxLabels> open_pair(ByteStream images, ByteStream labels);

/// All labels: of several columns the first. The file must end behind them.
[[nodiscard]] std::vector<std::int64_t> read_labels(IdxLabels& labels);

}  // namespace convoy::importers
