// Data sets of numpy's arrays: an archive (.npz) or single files (.npy).

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "array_import.hpp"
#include "convoy/arrays/numpy_array.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

/// Pairs of names that people give to arrays, by split: MedMNIST's, Keras's, and others.
struct KnownNames {
  const char* split;
  const char* images;
  const char* labels;
};
constexpr std::array<KnownNames, 14> kKnown{{{"train", "train_images", "train_labels"},
                                             {"train", "x_train", "y_train"},
                                             {"train", "X_train", "y_train"},
                                             {"train", "images", "labels"},
                                             {"train", "x", "y"},
                                             {"train", "X", "y"},
                                             {"train", "data", "labels"},
                                             {"test", "test_images", "test_labels"},
                                             {"test", "x_test", "y_test"},
                                             {"test", "X_test", "y_test"},
                                             {"validation", "val_images", "val_labels"},
                                             {"validation", "x_val", "y_val"},
                                             {"validation", "X_val", "y_val"},
                                             {"validation", "x_valid", "y_valid"}}};

class NpzImport {
 public:
  explicit NpzImport(const NpzOptions& options) : options_(options) {
    if (!options.file.empty()) archive_.emplace(options.file);
  }

  std::vector<ArrayPair> open() {
    const bool is_by_hand = !(options_.train.images + options_.train.labels).empty();
    std::vector<ArrayPair> arrays;
    for (const auto& [split, names] : {std::pair{data::names::kTrain, options_.train},
                                       {data::names::kTest, options_.test},
                                       {data::names::kValidation, options_.validation}}) {
      FilePair pair = names;
      if (pair.images.empty() && pair.labels.empty() && !is_by_hand) pair = known(split);
      if (pair.images.empty() && pair.labels.empty()) continue;
      if (pair.images.empty() || pair.labels.empty())
        throw_incomplete(split, pair.images.empty() ? "images" : "labels");
      arrays.push_back({split, open(pair.images), open(pair.labels)});
    }
    if (arrays.empty() || arrays.front().split != data::names::kTrain)
      throw ConfigError(fmt::format("no images to train{}; name them by --images and --labels",
                                    archive_ ? " are known by name" + held() : ""));
    return arrays;
  }

 private:
  [[nodiscard]] std::string held() const {
    return archive_ ? fmt::format(" in {} (which holds {})", options_.file, join(archive_->names(), ", "))
                    : "";
  }

  [[noreturn]] void throw_incomplete(const std::string& split, const std::string& lacking) const {
    throw ConfigError(fmt::format("no {} of the {} split{}; name them by --{}{}", lacking, split, held(),
                                  split == data::names::kTrain ? "" : split + "-", lacking));
  }

  [[nodiscard]] FilePair known(std::string_view split) const {
    for (const KnownNames& each : kKnown)
      if (each.split == split && archive_ && archive_->has(each.images) && archive_->has(each.labels))
        return {each.images, each.labels};
    return {};
  }

  /// An array of the archive, an .npy file, or an array of another archive: "F.npz:KEY", "F.npz" with one.
  [[nodiscard]] std::unique_ptr<arrays::ArrayReader> open(const std::string& text) const {
    if (archive_ && archive_->has(text)) return archive_->open(text);
    if (text.ends_with(".npy") || text.ends_with(".npy.gz")) return arrays::open_npy(text);
    const std::size_t end = text.rfind(".npz");
    if (end == std::string::npos) {
      const std::string kind = io::exists(text) ? io::kind_of_file(text) : "";
      throw ConfigError(fmt::format("no array {}{}{}; an array is a name in the archive, F.npy or F.npz:NAME",
                                    text, kind.empty() ? "" : " (" + kind + ")", held()));
    }
    const std::string file = text.substr(0, end + 4);
    const arrays::NumpyArchive other(file);
    const std::string key = text.size() > file.size()   ? text.substr(file.size() + 1)
                            : other.names().size() == 1 ? other.names().front()
                                                        : "";
    if (!other.has(key) || (text.size() > file.size() && text[file.size()] != ':'))
      throw ConfigError(fmt::format("no array {} in {} (which holds {}); choose one as {}:NAME", key, file,
                                    join(other.names(), ", "), file));
    return other.open(key);
  }

  const NpzOptions& options_;
  std::optional<arrays::NumpyArchive> archive_;
};

/// N, H and W, and C where its extent can be that of channels alone.
std::string guessed_layout(const arrays::ArrayReader& images, Dims dims) {
  constexpr std::int64_t kMostChannels = 4;
  if (dims.size() == 3) return "NHW";
  if (dims.size() == 4 && dims[3] <= kMostChannels && dims[1] > kMostChannels) return "NHWC";
  if (dims.size() == 4 && dims[1] <= kMostChannels && dims[3] > kMostChannels) return "NCHW";
  throw ConfigError(
      fmt::format("{} is {}, images in no order that can be guessed; --layout names the extents (N images, "
                  "C channels, H rows, W columns; NHWC for example)",
                  images.name(), to_string(dims)));
}

}  // namespace

std::string parsed_layout(const std::string& text) {
  std::string layout;
  for (const char letter : text)
    layout += static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
  std::string sorted = layout;
  std::ranges::sort(sorted);
  if (sorted != "CHNW" && sorted != "HNW")
    throw ConfigError(
        fmt::format("--layout '{}' is no order of N, C, H and W, or of N, H and W (NHWC for example)", text));
  return layout;
}

ImportReport import_npz(const NpzOptions& options, Observer* observer) {
  std::vector<ArrayPair> arrays = NpzImport(options).open();
  arrays::ArrayReader& first = *arrays.front().images;
  const bool is_reversed = arrays::is_fortran(first);
  Dims dims = first.dims();
  if (is_reversed) std::ranges::reverse(dims);
  std::string layout = options.layout.empty() ? guessed_layout(first, dims) : parsed_layout(options.layout);
  if (is_reversed) std::ranges::reverse(layout);
  for (const ArrayPair& pair : arrays)
    if (arrays::is_fortran(*pair.images) != is_reversed)
      throw DataError(
          fmt::format("{} and {} differ in their order, C and Fortran; save both as np.ascontiguousarray "
                      "makes them",
                      first.name(), pair.images->name()));
  return import_arrays(arrays, layout, options.labels, options.out,
                       "arrays of " + io::name_of(options.file.empty() ? options.train.images : options.file),
                       observer);
}

}  // namespace convoy::importers
