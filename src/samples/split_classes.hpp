#pragma once
// Classes of the splits of one data set, compared: what should be the same and is not. Private to the samples
// room.

#include <string>

#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// " (labels of the test split count from 1?)" if the labels of one split are 1, … and those of another 0, …
/// with as large a difference at the other end; else empty.
[[nodiscard]] std::string hint_on_first_labels(const DatasetLayout& layout);

/// Warns of classes that no training sample has, and of a training split of a single class. `file` begins the
/// warnings. `are_numbers`: labels are numbers, which people count from 0 or from 1.
/// Precondition: labels are classes.
void warn_of_unlike_splits(DatasetLayout& layout, const std::string& file, bool are_numbers);

}  // namespace convoy::data
