#pragma once
// What a data set file holds, read and checked against the contract ("Data set file"), pictures aside.
// Private to the data room: Dataset reads the pictures, describe() prints.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/io/hdf5_file.hpp"
#include "statistics.hpp"

namespace convoy::data {

struct SplitLayout {
  std::string name;
  std::int64_t samples = 0;
  io::ElementType type = io::ElementType::kUint8;  ///< or kFloat32
  std::int64_t chunk_rows = 1;                     ///< samples of a chunk; 1 where contiguous
  std::vector<std::int64_t> labels;                ///< all within [0, classes)

  [[nodiscard]] std::string images() const;  ///< path of the pictures
};

struct DatasetLayout {
  Shape shape;
  std::int64_t classes = 0;
  std::vector<std::string> class_names;
  std::string source;
  std::vector<SplitLayout> splits;  ///< train, test, validation: those there are, at least one
  std::optional<Statistics> statistics;

  /// Null where the file has no split of that name.
  [[nodiscard]] const SplitLayout* find(const std::string& name) const;
};

/// Throws DataError naming file, object and what would be right.
[[nodiscard]] DatasetLayout read_layout(const io::File& file);

/// True for every pixel type whose values are divided by 255.
[[nodiscard]] inline bool is_bytes(const SplitLayout& split) {
  return split.type == io::ElementType::kUint8;
}

}  // namespace convoy::data
