#pragma once
// Numbers of an array in a file of another tool, read once from the begin to the end. Called by the
// importers.

#include <cstdint>
#include <span>
#include <string>

#include "convoy/core/shape.hpp"

namespace convoy::arrays {

class ArrayReader {
 public:
  virtual ~ArrayReader() = default;
  /// The file, and the array in it, for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// As stored: the last extent is that of numbers side by side. Unverified.
  [[nodiscard]] virtual const Dims& dims() const = 0;
  /// True for unsigned bytes; other numbers are read as double alone.
  [[nodiscard]] virtual bool is_bytes() const = 0;
  /// Assigns the next to.size() numbers, whole rows along the first extent. Throws DataError if they are not
  /// there.
  virtual void read(std::span<std::uint8_t> to) = 0;
  virtual void read(std::span<double> to) = 0;
  /// Throws DataError if there is more, or if the checksum of what was read is wrong.
  virtual void require_end() = 0;
};

}  // namespace convoy::arrays
