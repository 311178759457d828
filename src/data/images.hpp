#pragma once
// Images out of the files of a split, as [n][C][H][W] of bytes or float32, whatever they are in the file;
// and targets. Private to the data room.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "convoy/data/statistics.hpp"
#include "dataset_layout.hpp"

namespace convoy::data {

/// Rows that share `index` of `size` reads: whole chunks, so that none is decompressed twice.
[[nodiscard]] Range share_of_rows(const SplitLayout& split, int size, int index);

/// Reads images `rows` of the split into `pixels` ([rows][C][H][W], filled exactly). Pixel is std::uint8_t
/// where is_bytes(split), else float (float64 is rounded to nearest). Files are opened one at a time. Throws
/// IoError, and DataError where a pixel is not finite, naming file and sample.
template <class Pixel>
void read_images(const SplitLayout& split, const Shape& shape, const Range& rows, std::span<Pixel> pixels);

/// Reads targets `rows` of the split into `targets` ([rows][target_size], filled exactly). Throws as above.
void read_targets(const SplitLayout& split, const Range& rows, std::span<float> targets);

/// read_images() for who reads often: files stay open, a few of them. As bytes of whichever pixel it is.
class ImageReader {
 public:
  /// Both must outlive it.
  ImageReader(const SplitLayout& split, const Shape& shape) : split_(split), shape_(shape) {}
  void read(const Range& rows, std::span<std::byte> images);

 private:
  const io::File& file_of(const Piece& piece);

  const SplitLayout& split_;
  const Shape& shape_;
  std::map<std::string, io::File> open_;
};

/// Row numbers where stretches of whole chunks end, of about a mebibyte of `image_bytes` each, the last at
/// the split's end.
[[nodiscard]] std::vector<std::int64_t> unit_ends(const SplitLayout& split, std::int64_t image_bytes);

/// Mean and deviation of all pixels of the split, channel by channel, in the order of the files.
[[nodiscard]] Statistics compute_statistics(const SplitLayout& split, const Shape& shape);

}  // namespace convoy::data
