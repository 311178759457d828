#include "convoy/io/json.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <vector>

#include "convoy/core/text.hpp"

namespace convoy::io {

std::string to_text(const Json& json) {
  if (json.is_number_float()) return json_number(json.get<double>());
  if (!json.is_structured()) return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::vector<std::string> parts;
  for (const auto& [key, value] : json.items())
    parts.push_back(json.is_object() ? fmt::format("{}:{}", to_text(key), to_text(value)) : to_text(value));
  const std::string all = join(parts, ",");
  return json.is_object() ? '{' + all + '}' : '[' + all + ']';
}

}  // namespace convoy::io
