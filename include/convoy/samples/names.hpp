#pragma once
// Names in a data set file (src/CONTRACT.md, "Data set file"), for its writers and readers.

#include <cstdint>
#include <string_view>

namespace convoy::data::names {

inline constexpr const char* kFormat = "format";
inline constexpr std::string_view kFormatValue = "convoy-dataset";
inline constexpr const char* kFormatVersion = "format_version";
inline constexpr std::int64_t kFormatVersionValue = 1;
inline constexpr const char* kSource = "source";
inline constexpr const char* kClassNames = "class_names";
inline constexpr const char* kMean = "mean";
inline constexpr const char* kStd = "std";

inline constexpr const char* kTrain = "train";
inline constexpr const char* kTest = "test";
/// The split that every epoch evaluates: the first of these that exists.
inline constexpr const char* kEvaluated = "validation|test";
inline constexpr const char* kValidation = "validation";
inline constexpr const char* kImages = "/images";  ///< in a split's group
inline constexpr const char* kLabels = "/labels";
inline constexpr const char* kTargets = "/targets";

/// kTrain, kTest or kValidation for the spellings that people use ("Training", "val", "dev", …); empty for
/// any other word.
[[nodiscard]] std::string_view split_of_spelling(std::string_view word);

}  // namespace convoy::data::names
