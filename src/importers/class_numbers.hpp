#pragma once
// Labels as files have them become numbers of classes. Private to the importers room.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/importers/import.hpp"

namespace convoy::importers {

/// The labels of a split and the file (or array) they come from.
struct SplitLabels {
  std::string where;
  std::vector<std::int64_t> labels;
};

/// Replaces the labels of `splits`, of which the first is the training split, by numbers of classes.
/// Returns the value that stood for each class. DataError with place and value, and what would be right, if
/// the rules do not fit the labels.
[[nodiscard]] std::vector<std::int64_t> number_classes(std::span<SplitLabels> splits,
                                                       const LabelRules& rules);

/// The values as names of classes.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<std::int64_t>& values);

}  // namespace convoy::importers
