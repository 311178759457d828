// Data sets of variables in MATLAB 7.3 files.

#include <algorithm>

#include "array_import.hpp"
#include "convoy/arrays/mat_array.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

/// MATLAB's extents, H rows, W columns, C channels, N images, as SVHN has them, unless told otherwise; from
/// the last to the first, as stored.
std::string stored_layout(const MatOptions& options, std::size_t dimensions) {
  std::string layout =
      options.layout.empty() ? (dimensions == 3 ? "HWN" : "HWCN") : parsed_layout(options.layout);
  std::ranges::reverse(layout);
  return layout;
}

}  // namespace

ImportReport import_mat(const MatOptions& options, Observer* observer) {
  std::vector<ArrayPair> pairs;
  for (const auto& [split, path] :
       {std::pair{data::names::kTrain, options.train}, {data::names::kTest, options.test}}) {
    if (path.empty()) continue;
    auto opened = arrays::open_mat(path, {options.images, options.labels_name});
    pairs.push_back({split, std::move(opened[0]), std::move(opened[1])});
  }
  const std::string layout = stored_layout(options, pairs.front().images->dims().size());
  return import_arrays(pairs, layout, options.labels, options.out,
                       "variables of " + io::name_of(options.train), observer);
}

}  // namespace convoy::importers
