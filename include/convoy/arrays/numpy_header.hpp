#pragma once
// Headers of numpy's arrays (.npy; NEP 1). Called by the importers and by exchange, which read such arrays
// from files and archives.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/core/shape.hpp"

namespace convoy::arrays {

/// So many bytes of a file hold its header.
inline constexpr std::size_t kMostNumpyHeaderBytes = 12 + 10'000;  // numpy's own limit

struct NumpyHeader {
  std::string type;  ///< order, kind and bytes of a number: "<f4", "|u1"; empty for structures
  bool is_fortran = false;
  Dims dims;
  std::size_t bytes = 0;  ///< of the header: the numbers follow
};

/// The header that `bytes` begin with; nothing if they begin with none. Extents are not negative; their
/// product may be anything.
[[nodiscard]] std::optional<NumpyHeader> parse_numpy_header(std::string_view bytes);

}  // namespace convoy::arrays
