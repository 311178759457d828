#include "convoy/predict/inputs.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/images/network_input.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::predict {

std::optional<Array> parse_array(const std::string& text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Array array{.file = text.substr(0, colon), .path = text.substr(colon + 1), .rows = std::nullopt};
  if (!array.path.ends_with(']')) return array;
  const std::size_t open = array.path.rfind('[');
  const std::string range =
      open == std::string::npos ? "" : array.path.substr(open + 1, array.path.size() - open - 2);
  const std::size_t middle = range.find(':');
  const auto begin = parse_integer(range.substr(0, middle));
  const auto end = middle == std::string::npos ? std::nullopt : parse_integer(range.substr(middle + 1));
  if (!begin || !end)
    throw ConfigError(fmt::format("{} is not FILE:/PATH[BEGIN:END] (whole numbers, counted from 0)", text));
  array.path.resize(open);
  array.rows = Range{*begin, *end};
  return array;
}

std::vector<Input> find_inputs(const std::vector<std::string>& words) {
  std::vector<Input> inputs;
  const auto add_file = [&](const std::string& path) {
    if (inputs.empty() || !std::holds_alternative<Files>(inputs.back())) inputs.emplace_back(Files());
    std::get<Files>(inputs.back()).push_back(path);
  };
  for (const std::string& word : words) {
    if (!io::exists(word)) {
      const std::optional<Array> array = parse_array(word);
      if (!array)
        throw ConfigError(
            fmt::format("no such file: {} (predict takes image files, folders of them, and "
                        "FILE.h5:/PATH[BEGIN:END])",
                        word));
      inputs.emplace_back(*array);
    } else if (io::is_folder(word)) {
      const Files found = images::images_below(word);
      if (found.empty())
        throw DataError(fmt::format("no image in folder {} ({})", word, images::image_endings()));
      std::ranges::for_each(found, add_file);
    } else if (word.ends_with(".h5") || word.ends_with(".hdf5")) {
      throw ConfigError(
          fmt::format("{} needs the path of its images, as in {}:/test/images[0:10]; 'convoy "
                      "inspect' lists the paths",
                      word, word));
    } else {
      add_file(word);
    }
  }
  return inputs;
}

}  // namespace convoy::predict
