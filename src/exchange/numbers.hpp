#pragma once
// Numbers in the files of other tools. Private to the exchange room.

#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "convoy/core/shape.hpp"

namespace convoy::exchange {

static_assert(std::endian::native == std::endian::little, "the numbers in these files are little-endian");

/// Number `i` of those at `bytes`, at any alignment.
template <class Number>
[[nodiscard]] Number number_at(const char* bytes, std::size_t i) {
  Number number{};
  std::memcpy(&number, bytes + i * sizeof number, sizeof number);
  return number;
}

/// All whole numbers of `bytes`, as float.
template <class Number>
[[nodiscard]] std::vector<float> numbers_of(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(Number));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(number_at<Number>(bytes.data(), i));
  return values;
}

/// Elements of a tensor; as double, because the extents of a file may be anything. A negative one counts as
/// −1.
[[nodiscard]] inline double elements_of(const Dims& dims) {
  double elements = 1;
  for (const std::int64_t extent : dims) elements *= extent < 0 ? -1 : static_cast<double>(extent);
  return elements;
}

}  // namespace convoy::exchange
