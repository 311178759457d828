#pragma once
// Reads images of a split from its files, as [n][C][H][W] of bytes or float32 regardless of the layout in the
// file; and targets. Private to the data room.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "convoy/data/load_observer.hpp"
#include "convoy/data/statistics.hpp"
#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// The samples for part `index` of `size` parts: of whole chunks, so that no chunk is decompressed twice.
[[nodiscard]] Range share_of_rows(const SplitLayout& split, int size, int index);

/// Reads images `samples` of the split into `pixels` ([samples][C][H][W], exactly this size). Pixel is
/// std::uint8_t if is_bytes(split), else float (float64 is rounded to nearest). Opens one file at a time.
/// Throws IoError, and DataError with file and sample if a pixel is not finite, or has no logarithm where
/// data.transform = log1p asks for it.
template <class Pixel>
void read_images(const SplitLayout& split, const Shape& shape, const Range& samples, std::span<Pixel> pixels);

/// Reads targets `samples` of the split into `targets` ([samples][target_size], exactly this size). Throws as
/// above.
void read_targets(const SplitLayout& split, const Range& samples, std::span<float> targets);

enum class Reading {
  kWhole,
  kFetch,  ///< what libhdf5 does of it, with any content of the images (read_in_child.hpp)
};

/// read_images() for frequent reads: keeps a few files open. Returns bytes of either pixel type.
class ImageReader {
 public:
  /// `split` and `shape` must outlive the reader.
  /// `threads` decompress chunks; 1 on threads other than the main one.
  ImageReader(const SplitLayout& split, const Shape& shape, int threads = 1,
              Reading reading = Reading::kWhole)
      : split_(split), shape_(shape), threads_(threads), reading_(reading) {}
  void read(const Range& samples, std::span<std::byte> images);
  /// Images of `samples`, ascending. Neighbours in a file (in one or the next chunk, or with a small gap) are
  /// read together.
  void read(std::span<const std::int64_t> samples, std::span<std::byte> images);

 private:
  const io::File& file_of(const Piece& piece);
  void read_rows(const Range& rows, std::span<std::byte> images);
  void read_listed(std::span<const std::int64_t> rows, std::span<std::byte> images);

  const SplitLayout& split_;
  const Shape& shape_;
  int threads_;
  Reading reading_;
  struct OpenFile {
    std::string path;
    io::File file;
  };
  std::deque<OpenFile> open_;  // the oldest first
  std::vector<std::byte> scratch_;
};

/// The piece that holds row `row` of the stored images.
[[nodiscard]] const Piece& piece_of(const SplitLayout& split, std::int64_t row);

/// Ends of ranges of samples in whole chunks, about 1 MiB of images (`image_bytes` each) per range. The last
/// end is the split's end.
[[nodiscard]] std::vector<std::int64_t> unit_ends(const SplitLayout& split, std::int64_t image_bytes);

/// Where the images of a split come from.
struct ImagesOfSplit {
  std::span<const std::byte> kept;   ///< all of them, in memory; empty: their files
  int threads = 1;                   ///< that read and add
  LoadObserver* observer = nullptr;  ///< null: none
};
/// Mean and standard deviation per channel over all pixels of the split, in the order of the files. Throws as
/// read_images(), and as LoadProgress::add().
[[nodiscard]] Statistics compute_statistics(const SplitLayout& split, const Shape& shape,
                                            const ImagesOfSplit& from);

}  // namespace convoy::data
