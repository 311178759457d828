#pragma once
// Samples for a Model: from a file, or from the memory of the ranks.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/library/numbers.hpp"

namespace convoy {

/// The samples of a data set in memory.
struct SampleFormat {
  Shape image;               ///< [C][H][W]
  bool is_bytes = false;     ///< images are uint8, which a network sees divided by 255; else float
  std::int64_t classes = 0;  ///< each sample has a label below it; or
  std::int64_t targets = 0;  ///< each sample has this many numbers to approximate
  std::vector<std::string> class_names{};  ///< empty, or one per class
};

class Dataset {
 public:
  /// Collective over `ranks`. An empty data set in memory: every rank add()s samples of its own. All nodes
  /// then hold the whole set, once per node. Throws ConfigError unless the format has either classes or
  /// targets.
  explicit Dataset(const SampleFormat& format, const comm::Communicator& ranks = comm::Communicator::self());
  /// Collective over `ranks`. A split ("train", "test", "validation") of a file made by `convoy import`.
  /// Throws ConfigError (no such file), IoError, DataError (damaged, without this split), the same on every
  /// rank.
  [[nodiscard]] static Dataset read(const std::string& file, const std::string& split = "train",
                                    const comm::Communicator& ranks = comm::Communicator::self());
  /// The same from HDF5 files of others: options.file, options.train.
  [[nodiscard]] static Dataset read(const data::Options& options,
                                    const comm::Communicator& ranks = comm::Communicator::self());
  /// Collective, as is assignment, if ranks of a node share the samples: all ranks destroy it before one of
  /// them waits for another.
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  /// Not collective. Copies samples of this rank: their numbers in the whole set, images [n][C][H][W], and
  /// labels [n] or targets [n][targets]. Images are uint8 if the format says bytes, else float or double
  /// (rounded to float); labels are of an integer type, targets float or double. Throws ConfigError for other
  /// types and counts, DataError for a number that is not finite, a label that is not below `classes` and a
  /// negative sample number; then nothing is added.
  void add(std::span<const std::int64_t> numbers, const Numbers& images, const Numbers& answers);
  /// Collective. Joins what all ranks have added since the last time; Model::fit() and evaluate() call it.
  /// The numbers of all ranks' samples must go on where the set ends: 0, 1, 2, … without gaps, each once, in
  /// any order and on any rank. The result depends on the samples and their numbers alone. Throws DataError,
  /// the same on every rank, that names a number that is missing or there twice; then all stays as it was.
  void join();

  /// Number of joined samples.
  [[nodiscard]] std::int64_t samples() const;
  [[nodiscard]] const Shape& shape() const;
  /// Labels or targets of one sample: 1, or SampleFormat::targets.
  [[nodiscard]] std::int64_t answers_per_sample() const;
  [[nodiscard]] const comm::Communicator& ranks() const;
  /// The joined samples; null if there are none.
  [[nodiscard]] std::shared_ptr<const data::Dataset> joined() const;
  [[nodiscard]] const data::Split* split() const;

 private:
  struct Impl;
  explicit Dataset(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy
