#pragma once
// Labels in the forms in which people store them (src/CONTRACT.md, "Labels"), and the classes they name.
// Private to the samples room.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "convoy/hdf5/file.hpp"
#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// Reads labels of all files of a data set.
class LabelReader {
 public:
  explicit LabelReader(const Options& options) : options_(options) {}

  /// The labels of `samples` images ("/x"), [samples]; -1: of as many as there are. Labels that are text get
  /// numbers in the order in which they are first met, until number_classes(). Throws DataError.
  [[nodiscard]] std::vector<std::int64_t> read(const io::File& file, const io::Part& part,
                                               std::int64_t samples, const std::string& images);

  /// Turns the labels of all splits into classes 0, 1, …, as the options ask, and checks them. Assigns
  /// layout.classes, class_names and label_values. Throws DataError: labels leave a gap, are negative, are
  /// all the same, or do not fit the classes that the options or the names state.
  void number_classes(DatasetLayout& layout) const;

 private:
  enum class Form { kUnknown, kNumbers, kOneHot, kNames };

  void require_form(Form form, const io::File& file, const io::Part& part);
  [[nodiscard]] std::int64_t number_of(const std::string& name);
  void number_names(DatasetLayout& layout) const;
  void number_sorted(DatasetLayout& layout) const;

  const Options& options_;
  Form form_ = Form::kUnknown;
  std::string first_;                            ///< "/y of a.h5", where that form was met first
  std::map<std::string, std::int64_t> numbers_;  ///< of names
  std::int64_t width_ = 0;                       ///< of one-hot labels
};

}  // namespace convoy::data
