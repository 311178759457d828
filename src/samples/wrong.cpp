#include "wrong.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <vector>

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

void require_not_clipped(const io::File& file, const io::Part& part, const io::DatasetInfo& info,
                         std::int64_t first, std::span<const std::int64_t> values, const std::string& unit) {
  if (info.type == io::ElementType::kInt64) return;
  const auto found = std::ranges::find(values, std::numeric_limits<std::int64_t>::max());
  if (found == values.end()) return;
  const std::int64_t row_size = info.dims.empty() ? 1 : count(info.dims) / info.dims.front();
  const std::int64_t at = found - values.begin();
  const std::int64_t row = first + at / row_size;
  std::vector<double> stored(static_cast<std::size_t>(row_size));
  file.read_rows<double>(part, {row, row + 1}, stored);
  throw_wrong(
      "too large a number", file, text_of(part),
      fmt::format("holds about {} for {} {}", shortest(stored[static_cast<std::size_t>(at % row_size)]), unit,
                  first * row_size + at),
      "of uint64 those below 2^63 - 1 are read; store smaller ones, or strings");
}

}  // namespace convoy::data
