#pragma once
// The option --layout of eval and predict.

#include <string>

#include <optional>
#include <string>

#include "convoy/command_line/command_line.hpp"
#include "convoy/data/dataset.hpp"

namespace convoy::apps {

/// `what` begins the help: "of the images in HDF5 files".
void add_layout_option(CommandLine& line, const std::string& what);
/// Nothing if it is not given. Throws ConfigError with the names if the value is none of them.
[[nodiscard]] std::optional<data::Axes> layout_of(const CommandLine& line);

}  // namespace convoy::apps
