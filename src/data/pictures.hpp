#pragma once
// Pictures out of the files of a split, as [n][C][H][W] of bytes or float32, whatever they are in the file.
// Private to the data room.

#include <cstdint>
#include <span>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "dataset_layout.hpp"
#include "statistics.hpp"

namespace convoy::data {

/// Rows that share `index` of `size` reads: whole chunks, so that none is decompressed twice.
[[nodiscard]] Range share_of_rows(const SplitLayout& split, int size, int index);

/// Reads pictures `rows` of the split into `pixels` ([rows][C][H][W], filled exactly). Pixel is std::uint8_t
/// where is_bytes(split), else float (float64 is rounded to nearest). Files are opened one at a time. Throws
/// IoError, and DataError where a pixel is not finite, naming file and sample.
template <class Pixel>
void read_pictures(const SplitLayout& split, const Shape& shape, const Range& rows, std::span<Pixel> pixels);

/// Mean and deviation of all pixels of the split, channel by channel, in the order of the files.
[[nodiscard]] Statistics compute_statistics(const SplitLayout& split, const Shape& shape);

}  // namespace convoy::data
