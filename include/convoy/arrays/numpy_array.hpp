#pragma once
// Arrays of numpy in files (.npy, .npy.gz) and archives (.npz). Called by the importers.

#include <memory>
#include <string>
#include <vector>

#include "convoy/arrays/array_reader.hpp"

namespace convoy::arrays {

/// Opens an array of a file. Throws ConfigError (missing), DataError (no array; a type without numbers).
[[nodiscard]] std::unique_ptr<ArrayReader> open_npy(const std::string& path);

/// An archive; arrays of it may be read after its end.
class NumpyArchive {
 public:
  /// Throws ConfigError (missing), DataError (no archive).
  explicit NumpyArchive(const std::string& path);
  /// Names of its arrays.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& array) const;
  /// Precondition: has(array).
  [[nodiscard]] std::unique_ptr<ArrayReader> open(const std::string& array) const;

 private:
  std::string path_;
  std::vector<std::string> names_;
};

/// True if the extents are stored from the last to the first.
[[nodiscard]] bool is_fortran(const ArrayReader& array);

}  // namespace convoy::arrays
