#include "wrong.hpp"

#include <fmt/core.h>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::data {

void throw_wrong(const std::string& problem, const io::File& file, const std::string& object,
                 const std::string& why, const std::string& right) {
  throw DataError(fmt::format("{} in data set {} ({} {}); {}", problem, file.path(), object, why, right));
}

void require_stored(const io::File& file, const io::Part& part, const io::DatasetInfo& info) {
  if (info.promises_too_much())
    throw_wrong("missing content", file, part.dataset,
                fmt::format("promises {} elements but stores {} bytes", grouped(count(info.dims)),
                            grouped(info.stored_bytes)),
                "it was not written to the end");
  // Chunks may have been written without an optional filter: reading tells.
  for (const io::Filter& filter : info.filters)
    if (!filter.lacking.empty() && !filter.is_optional)
      io::throw_missing_filter(file.path(), part.dataset, filter);
}

}  // namespace convoy::data
