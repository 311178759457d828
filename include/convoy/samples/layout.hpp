#pragma once
// Layout of data set files, read and checked against src/CONTRACT.md ("Data set file"), or of third-party
// files as configured. Does not read images and targets: Dataset (data/dataset.hpp) reads them, describe()
// prints the layout.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/samples/options.hpp"

namespace convoy::data {

/// Mean and standard deviation (of the population) of every channel over all pixels of a split, before
/// normalisation; uint8 pixels are divided by 255.
struct Statistics {
  std::vector<double> mean;  ///< [C]
  std::vector<double> std;   ///< [C]
};

/// Images of a split in one file.
struct Piece {
  std::string file;
  std::string images;              ///< path of the images in `file`
  Range rows;                      ///< their numbers in the sequence of all stored images
  std::int64_t chunk_rows = 1;     ///< samples per chunk; 1 if contiguous
  std::int64_t first_row = 0;      ///< in `file`: the row of rows.begin
  std::int64_t rows_a_sample = 1;  ///< more if the file holds one sample, without a dimension N
};

/// Labels or targets in one file.
struct AnswerPiece {
  std::string file;
  io::Part part;
  Range rows;                      ///< as in Piece
  std::int64_t first_row = 0;      ///< likewise
  std::int64_t rows_a_sample = 1;  ///< likewise
};

struct SplitLayout {
  std::string name;
  std::int64_t samples = 0;
  io::ElementType type = io::ElementType::kUint8;  ///< the same in all pieces
  Axes axes = Axes::kNchw;
  std::vector<Piece> pieces;           ///< in order; at least one
  std::vector<AnswerPiece> answers{};  ///< in order; none: neither labels nor targets
  /// The numbers of its samples among the stored images, ascending; empty: all of them.
  std::vector<std::int64_t> rows{};
  std::vector<std::int64_t> labels{};  ///< [samples], all in [0, classes); or
  std::int64_t target_size = 0;        ///< numbers per sample
  PixelFunction function = PixelFunction::kNone;

  [[nodiscard]] bool has_answers() const { return !answers.empty(); }
  /// The number of sample i among the stored images.
  [[nodiscard]] std::int64_t row(std::int64_t sample) const {
    return rows.empty() ? sample : rows[static_cast<std::size_t>(sample)];
  }
};

struct DatasetLayout {
  Shape shape;
  std::int64_t classes = 0;  ///< or numbers per target
  std::vector<std::string> class_names;
  std::vector<std::int64_t> label_values;  ///< of LabelValues::kSorted: the label of each class
  std::string source;
  std::vector<SplitLayout> splits;  ///< train, test, validation, as far as they exist; at least one
  std::optional<Statistics> statistics;
  std::vector<std::string> other_files;  ///< files to which virtual data sets and links lead, sorted
  std::vector<std::string> warnings;

  /// Null if there is no split of that name.
  [[nodiscard]] const SplitLayout* find(const std::string& name) const;
};

/// The files of `pattern`: the file of this name if it exists, else all matching files, sorted by bytes.
/// Throws ConfigError if there is none, or for a folder.
[[nodiscard]] std::vector<std::string> files_of(const std::string& pattern);
/// Files and paths of the test split in third-party files; no files if there is no test split.
[[nodiscard]] std::vector<std::string> test_files_of(const Options& options);
[[nodiscard]] Paths test_paths(const Options& options);
/// All files of the data set without duplicates, in order.
[[nodiscard]] std::vector<std::string> files_of(const Options& options);

/// True if the first file of `pattern` was made by import or synth. Throws as read_layout().
[[nodiscard]] bool is_made_by_convoy(const std::string& pattern);

/// Throws ConfigError (no such file), DataError with file, object and the expected content.
[[nodiscard]] DatasetLayout read_layout(const Options& options);

/// Which files hold what, found once: looking for thousands of files for each of them takes minutes.
struct FileRoles {
  std::vector<std::string> train;          ///< images; sorted, as all of them
  std::vector<std::string> test;           ///< images
  std::vector<std::string> train_answers;  ///< in files of their own
  std::vector<std::string> test_answers;
};
/// Throws as files_of().
[[nodiscard]] FileRoles file_roles(const Options& options);

/// What one file of the data set holds: images, labels, targets. Classes are not numbered. Throws as
/// read_layout.
[[nodiscard]] DatasetLayout read_layout_of(const std::string& path, const Options& options,
                                           const FileRoles& roles);

/// The warning if reading one sample of `info` (content of `path`) reads much more than the sample; empty if
/// it does not.
[[nodiscard]] std::string warning_of_chunks(const std::string& path, const io::DatasetInfo& info);

/// True if pixels are uint8: their values are divided by 255.
[[nodiscard]] inline bool is_bytes(const SplitLayout& split) {
  return split.type == io::ElementType::kUint8;
}

}  // namespace convoy::data
