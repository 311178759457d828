#include "convoy/command_line/layout_option.hpp"

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::apps {
namespace {

std::string names_in_words() {
  const auto& names = data::axes_names();
  return join(std::vector<std::string>(names.begin(), names.end()), ", ");
}

}  // namespace

void add_layout_option(CommandLine& line, const std::string& what) {
  line.add_value("layout", "NAME",
                 what + ": " + names_in_words() +
                     "; default the run's data.layout if the images fit it, else " +
                     std::string(data::axes_names().front()));
}

std::optional<data::Axes> layout_of(const CommandLine& line) {
  if (!line.has("layout")) return std::nullopt;
  const auto& names = data::axes_names();
  const auto found = std::ranges::find(names, *line.text("layout"));
  if (found == names.end())
    throw ConfigError("--layout " + *line.text("layout") + " is not one of " + names_in_words() +
                      data::kOtherAxes);
  return static_cast<data::Axes>(found - names.begin());
}

}  // namespace convoy::apps
