#pragma once
// Writes a data set file (src/CONTRACT.md, "Data set file"), sample by sample, whole or not at all. What the
// images are is the importers' and the generator's business. One rank; never collective.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/importers/observer.hpp"

namespace convoy::importers {

/// What a data set is, before its first sample.
struct DatasetHeader {
  Shape shape;                           ///< of every image
  std::string source;                    ///< where the images come from, for people
  std::vector<std::string> class_names;  ///< one a class; labels lie in [0, class_names.size())
};

/// Images of one chunk of a split of `samples` images.
[[nodiscard]] std::int64_t samples_per_chunk(const Shape& shape, std::int64_t samples);

/// Images ready for the file: whoever decodes them also compresses them.
struct FinishedChunk {
  std::vector<std::uint8_t> bytes;  ///< as the file holds them
  std::vector<std::uint64_t> sums;  ///< of their pixels, for mean and std
};

/// Makes chunk `images`, [n][C][H][W], of a split of `samples` images; n is samples_per_chunk, or less in
/// the last one. Any thread of any rank.
[[nodiscard]] FinishedChunk finish_chunk(const Shape& shape, std::int64_t samples,
                                         std::span<const std::uint8_t> images);

class DatasetWriter {
 public:
  /// Begins a file beside `target`. `observer` may be null; it outlives the writer, which tells it how far
  /// append() has come and stops when asked to. Throws IoError where the file cannot be created.
  DatasetWriter(const std::string& target, DatasetHeader header, Observer* observer = nullptr);
  /// Leaves nothing behind unless finish() returned.
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Begins split `name` ("train", "test", "validation") of `samples` > 0 images; the one before must be
  /// full.
  void begin_split(const std::string& name, std::int64_t samples);
  /// The next labels.size() samples of the split; images is [n][C][H][W]. Labels must lie in range.
  void append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels);
  /// The next whole chunk of the split, with its labels. Either this or append() fills a split.
  void append(const FinishedChunk& chunk, std::span<const std::int64_t> labels);
  /// Writes mean and std of the training split on every split, sums the file and puts it in place. Throws
  /// IoError; then the target is as it was.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::importers
