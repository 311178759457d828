#pragma once
// Parts of the training split that form other splits. Private to the samples room.

#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// Divides the split "train" of `layout` as options.held_out asks. Labels are as stored in the files. Throws
/// ConfigError (contradicting options), DataError (columns or lists that do not fit the samples).
void hold_out(DatasetLayout& layout, const Options& options);

}  // namespace convoy::data
