#include "source_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::importers {

std::string what_lies_in(const std::string& folder) {
  constexpr std::size_t kMostNames = 8;
  std::vector<std::string> names = io::list_folder(folder);
  std::erase_if(names, [](const std::string& each) { return each.starts_with('.'); });
  if (names.empty()) return {};
  const std::size_t others = names.size() - std::min(names.size(), kMostNames);
  names.resize(names.size() - others);
  return "; there is " + join(names, ", ") + (others == 0 ? "" : fmt::format(" and {} more", others));
}

ByteStream open_either(const std::string& folder, const std::string& name, const std::string& hint) {
  if (!io::is_folder(folder))
    throw ConfigError(fmt::format("no folder {}; it should be the one that holds {}", folder, name));
  const std::string plain = folder + '/' + name;
  for (const std::string& path : {plain, plain + ".gz"}) {
    if (io::exists(path)) return ByteStream(path);
  }
  const std::string others = what_lies_in(folder);
  throw ConfigError(fmt::format("missing file {} (nor is it there as .gz{}); download it into {}{}", plain,
                                others, folder, others.empty() || hint.empty() ? "" : ", or: " + hint));
}

}  // namespace convoy::importers
