#pragma once
// Data sets made of two arrays: images and labels. Private to the importers room.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "class_numbers.hpp"
#include "convoy/arrays/array_reader.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/importers/import.hpp"

namespace convoy::importers {

/// Arrays of a split: images and labels.
struct ArrayPair {
  std::string split;
  std::unique_ptr<arrays::ArrayReader> images;
  std::unique_ptr<arrays::ArrayReader> labels;
};

/// Makes a data set of `arrays`, the training split first. `layout` names the extents of the images as
/// stored: N, H, W and, if there are channels, C, in any order. Labels are [N], [N][1], [1][N] or one-hot
/// rows. Images of bytes stay bytes; others become float32. If N is not the first extent, a split's images
/// are kept in memory.
[[nodiscard]] ImportReport import_arrays(std::vector<ArrayPair>& arrays, const std::string& layout,
                                         const LabelRules& rules, const std::string& out, std::string source,
                                         Observer* observer);

}  // namespace convoy::importers
