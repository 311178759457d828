#pragma once
// Writes a data set file (src/CONTRACT.md, "Data set file") sample by sample; creates the complete file or
// none. The importers and the generator provide the images. One rank; never collective.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/dataset_file/observer.hpp"

namespace convoy::importers {

/// Type of the images in the file.
enum class Pixels { kBytes, kFloats };

/// Properties of a data set, known before its first sample.
struct DatasetHeader {
  Shape shape;                           ///< of every image
  std::string source;                    ///< origin of the images, for people
  std::vector<std::string> class_names;  ///< one per class; labels are in [0, class_names.size())
  Pixels pixels = Pixels::kBytes;
};

/// Images per chunk in a split of `samples` images of bytes.
[[nodiscard]] std::int64_t samples_per_chunk(const Shape& shape, std::int64_t samples);

/// A compressed chunk of images: the thread that decodes also compresses.
struct FinishedChunk {
  std::vector<std::uint8_t> bytes;  ///< as stored in the file
  std::vector<std::uint64_t> sums;  ///< sums over the pixels, for mean and std
};

/// Compresses chunk `images`, [n][C][H][W], of a split of `samples` images. n is samples_per_chunk; the last
/// chunk may be smaller. Any thread of any rank may call.
[[nodiscard]] FinishedChunk finish_chunk(const Shape& shape, std::int64_t samples,
                                         std::span<const std::uint8_t> images);

class DatasetWriter {
 public:
  /// Creates a temporary file in the folder of `target`. `observer` may be null and must outlive the writer;
  /// append() reports its progress and stops if the observer requests it. Throws IoError if the file cannot
  /// be created.
  DatasetWriter(const std::string& target, DatasetHeader header, Observer* observer = nullptr);
  /// Removes the temporary file unless finish() succeeded.
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Begins split `name` ("train", "test", "validation") of `samples` > 0 images. Precondition: the previous
  /// split is complete.
  void begin_split(const std::string& name, std::int64_t samples);
  /// Appends the next labels.size() samples of the split; images is [n][C][H][W], of the header's type.
  /// Precondition: labels are in range.
  void append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels);
  void append(std::span<const float> images, std::span<const std::int64_t> labels);
  /// Appends the next whole chunk of the split and its labels. A split uses either this or the other
  /// append().
  void append(const FinishedChunk& chunk, std::span<const std::int64_t> labels);
  /// Writes the training split's mean and std to every split, adds the checksum and renames the file to
  /// `target`. Throws IoError; the target is then unchanged.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::importers
