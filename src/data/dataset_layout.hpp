#pragma once
// What data set files hold, read and checked against src/CONTRACT.md ("Data set file"), or where the user
// says it lies in files of others; images and targets aside. Private to the data room: Dataset reads those,
// describe() prints.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/statistics.hpp"
#include "convoy/io/hdf5_file.hpp"

namespace convoy::data {

/// Images of a split that lie in one file.
struct Piece {
  std::string file;
  std::string images;           ///< path of the images in it
  Range rows;                   ///< their numbers in the split
  std::int64_t chunk_rows = 1;  ///< samples of a chunk; 1 where contiguous
  std::string targets{};        ///< path of the targets; empty: there are labels
};

struct SplitLayout {
  std::string name;
  std::int64_t samples = 0;
  io::ElementType type = io::ElementType::kUint8;  ///< the same in all pieces
  Axes axes = Axes::kNchw;
  std::vector<Piece> pieces;           ///< in order, at least one
  std::vector<std::int64_t> labels{};  ///< [samples], all within [0, classes); or
  std::int64_t target_size = 0;        ///< numbers a sample, [samples][target_size] in the files
};

struct DatasetLayout {
  Shape shape;
  std::int64_t classes = 0;  ///< or numbers of a target
  std::vector<std::string> class_names;
  std::string source;
  std::vector<SplitLayout> splits;  ///< train, test, validation: those there are, at least one
  std::optional<Statistics> statistics;
  std::vector<std::string>
      other_files;  ///< that those of the data set lead to (virtual data sets, links), sorted
  std::vector<std::string> warnings;

  /// Null where there is no split of that name.
  [[nodiscard]] const SplitLayout* find(const std::string& name) const;
};

/// The files that `pattern` means: itself where such a file is there, else what matches it, sorted by bytes.
/// Throws ConfigError where there is none, or a folder.
[[nodiscard]] std::vector<std::string> files_of(const std::string& pattern);
/// Files and paths of the test split in files of others; no files where there is none.
[[nodiscard]] std::vector<std::string> test_files_of(const Options& options);
[[nodiscard]] Paths test_paths(const Options& options);
/// All files of the data set, each once, in order.
[[nodiscard]] std::vector<std::string> files_of(const Options& options);

/// Throws ConfigError (no such file), DataError naming file, object and what would be right.
[[nodiscard]] DatasetLayout read_layout(const Options& options);

/// Of one file of the data set alone, whose numbers of classes are not known yet. Throws as read_layout.
[[nodiscard]] DatasetLayout read_layout_of(const std::string& path, const Options& options);

/// What to say where reading one sample of `info` (the content of `path`) reads much more than it; empty: no
/// more than needed, or not much.
[[nodiscard]] std::string warning_of_chunks(const std::string& path, const io::DatasetInfo& info);

/// True for every pixel type whose values are divided by 255.
[[nodiscard]] inline bool is_bytes(const SplitLayout& split) {
  return split.type == io::ElementType::kUint8;
}

}  // namespace convoy::data
