#include "convoy/arrays/numpy_header.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "convoy/core/text.hpp"

namespace convoy::arrays {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// The text between the first `begin` behind `key` and the next `end`; empty if there is none.
std::string_view value_of(std::string_view header, std::string_view key, char begin, char end) {
  const std::size_t at = header.find(key);
  const std::size_t from = at == std::string_view::npos ? at : header.find(begin, at + key.size());
  const std::size_t to = from == std::string_view::npos ? from : header.find(end, from + 1);
  return to == std::string_view::npos ? std::string_view() : header.substr(from + 1, to - from - 1);
}

/// "2, 3," as extents; nothing if one is no integer.
std::optional<Dims> parse_dims(std::string_view text) {
  Dims dims;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view word = trim(text.substr(at, end - at));
    const auto extent = parse_integer(word);
    if (!word.empty() && (!extent || *extent < 0)) return std::nullopt;
    if (!word.empty()) dims.push_back(*extent);
    at = end + 1;
  }
  return dims;
}

}  // namespace

std::optional<NumpyHeader> parse_numpy_header(std::string_view bytes) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic)) return std::nullopt;
  const bool is_long = bytes[6] > 1;  // version 2 and 3 have four bytes for the header's length
  const std::size_t begin = is_long ? 12 : 10;
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, is_long ? 4 : 2);
  if (length > kMostNumpyHeaderBytes - 12 || begin + length > bytes.size()) return std::nullopt;
  const std::string_view header = bytes.substr(begin, length);
  const bool is_structure = header.find("'descr': [") != std::string_view::npos;
  const std::string_view type = is_structure ? "" : value_of(header, "'descr':", '\'', '\'');
  const std::optional<Dims> dims = parse_dims(value_of(header, "'shape':", '(', ')'));
  if ((type.empty() && !is_structure) || !dims) return std::nullopt;
  return NumpyHeader{.type = std::string(type),
                     .is_fortran = header.find("'fortran_order': True") != std::string_view::npos,
                     .dims = *dims,
                     .bytes = begin + length};
}

}  // namespace convoy::arrays
