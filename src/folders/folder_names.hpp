#pragma once
// What the names of folders and files say: splits, kinds of files, tables. Private to the folders room.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::importers {

/// data::names::kTrain, kTest or kValidation if the name is a spelling of it, also with a number
/// ("train2017", "val_2012", "Test 1"); else empty.
[[nodiscard]] std::string_view split_of_folder(std::string_view name);

/// The split of a word of the name ("seg_train", "Train images", "training-set"); empty if there is none.
[[nodiscard]] std::string_view split_in(std::string_view name);

/// "eval", "Evaluation set", "hold-out": a test or a validation split.
[[nodiscard]] bool is_held_out(std::string_view name);

/// "images", "img", "JPEGImages": names of a folder that say only that it holds images.
[[nodiscard]] bool is_name_of_images(std::string_view name);

/// A name of the only folder of a split without labels: "images", "unknown", or the split's own.
[[nodiscard]] bool is_name_without_label(std::string_view name);

/// The names that are kinds of files ("images", "masks", "annotations"); none if the only one is "mask",
/// which is also a class of faces.
[[nodiscard]] std::vector<std::string> names_of_kinds(const std::vector<std::string>& names);

/// CSV, TSV, text, JSON and XML files.
[[nodiscard]] bool is_table(std::string_view file);
/// Those that read_label_table reads: CSV, TSV and text files.
[[nodiscard]] bool is_plain_table(std::string_view file);
/// CSV and TSV files, which are hardly anything else.
[[nodiscard]] bool is_sure_table(std::string_view file);

}  // namespace convoy::importers
