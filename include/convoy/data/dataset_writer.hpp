#pragma once
// Writes a data set file (contract, "Data set file"), sample by sample, whole or not at all. What the
// pictures are is the importers' and the generator's business. One rank; never collective.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"

namespace convoy::data {

/// What a data set is, before its first sample.
struct DatasetHeader {
  Shape shape;                           ///< of every picture
  std::string source;                    ///< where the pictures come from, for people
  std::vector<std::string> class_names;  ///< one a class; labels lie in [0, class_names.size())
};

class DatasetWriter {
 public:
  /// Begins a file beside `target`. Throws IoError where it cannot be created.
  DatasetWriter(const std::string& target, DatasetHeader header);
  /// Leaves nothing behind unless finish() returned.
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  /// Begins split `name` ("train", "test", "validation") of `samples` > 0 pictures; the one before must be
  /// full.
  void begin_split(const std::string& name, std::int64_t samples);
  /// The next labels.size() samples of the split; images is [n][C][H][W]. Labels must lie in range.
  void append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels);
  /// Writes mean and std of the training split on every split, sums the file and puts it in place. Throws
  /// IoError; then the target is as it was.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::data
