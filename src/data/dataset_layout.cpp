#include "dataset_layout.hpp"

#include <algorithm>
#include <cmath>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "names.hpp"

namespace convoy::data {
namespace {

[[noreturn]] void throw_wrong(const std::string& problem, const io::File& file, const std::string& object,
                              const std::string& why, const std::string& right) {
  throw DataError(problem + " in data set " + file.path() + " (" + object + " " + why + "); " + right);
}

void check_format(const io::File& file) {
  if (!file.has_attribute("/", names::kFormat))
    throw DataError("not a data set: " + file.path() +
                    " (it has no root attribute 'format'); make one with convoy import or convoy synth");
  const auto format = file.attribute<std::string>("/", names::kFormat);
  if (format != names::kFormatValue)
    throw DataError("not a data set: " + file.path() + " (its format is '" + format + "'); it should be '" +
                    std::string(names::kFormatValue) + "'");
  const auto version = file.attribute<std::int64_t>("/", names::kFormatVersion);
  if (version != names::kFormatVersionValue)
    throw DataError("unknown version of data set " + file.path() + " (its format_version is " +
                    std::to_string(version) + "); this program reads version " +
                    std::to_string(names::kFormatVersionValue));
}

// A compressed data set cannot hold more than gzip's ratio allows; what promises more was never written.
void check_stored(const io::File& file, const std::string& path, const io::DatasetInfo& info,
                  std::int64_t element_bytes) {
  constexpr std::int64_t kMostRatio = 1032;
  if (count(info.dims) / kMostRatio > info.stored_bytes / element_bytes + kMostRatio)
    throw_wrong("missing content", file, path,
                "promises " + grouped(count(info.dims)) + " elements but stores " +
                    grouped(info.stored_bytes) + " bytes",
                "it was not written to the end");
}

SplitLayout read_split(const io::File& file, const std::string& name, Shape& shape) {
  SplitLayout split;
  split.name = name;
  const std::string images = split.images();
  const io::DatasetInfo pictures = file.info(images);
  if (pictures.dims.size() != 4)
    throw_wrong("wrong shape", file, images, "is [" + to_string(pictures.dims) + "]",
                "it should have four dimensions, [N][C][H][W]");
  if (pictures.type != io::ElementType::kUint8 && pictures.type != io::ElementType::kFloat32)
    throw_wrong("wrong type", file, images, "is " + std::string(io::element_name(pictures.type)),
                "it should be uint8 or float32");
  if (std::ranges::count(pictures.dims, 0) > 0)
    throw_wrong("wrong shape", file, images, "is [" + to_string(pictures.dims) + "]",
                "no extent may be zero");
  check_stored(file, images, pictures, pictures.type == io::ElementType::kUint8 ? 1 : 4);
  const Shape found{pictures.dims[1], pictures.dims[2], pictures.dims[3]};
  if (shape.c != 0 && found != shape)
    throw_wrong("shapes differ", file, images, "holds pictures of " + to_string(found),
                "those of the other splits are " + to_string(shape));
  shape = found;
  split.samples = pictures.dims[0];
  split.type = pictures.type;
  split.chunk_rows = pictures.chunk.empty() ? 1 : pictures.chunk[0];

  const std::string labels = "/" + name + names::kLabels;
  const io::DatasetInfo classes = file.info(labels);
  if (classes.type != io::ElementType::kUint8 && classes.type != io::ElementType::kInt64 &&
      classes.type != io::ElementType::kOtherInteger)
    throw_wrong("wrong type", file, labels, "is " + std::string(io::element_name(classes.type)),
                "it should be an integer type");
  if (classes.dims != Dims{split.samples})
    throw_wrong("counts differ", file, labels, "is [" + to_string(classes.dims) + "]",
                images + " holds " + counted(split.samples, "picture"));
  check_stored(file, labels, classes, 1);
  split.labels = file.read<std::int64_t>(labels, classes.dims);
  return split;
}

std::vector<std::string> read_class_names(const io::File& file) {
  if (!file.has_attribute("/", names::kClassNames)) return {};
  return file.attribute<std::vector<std::string>>("/", names::kClassNames);
}

// The number of classes, once every label is known to lie within it.
std::int64_t check_labels(const io::File& file, const DatasetLayout& layout) {
  constexpr std::int64_t kMostClasses = 1 << 20;
  std::int64_t classes = static_cast<std::int64_t>(layout.class_names.size());
  const bool named = classes > 0;
  for (const SplitLayout& split : layout.splits) {
    for (std::size_t i = 0; i < split.labels.size(); ++i) {
      const std::int64_t label = split.labels[i];
      if (label < 0 || label >= (named ? classes : kMostClasses))
        throw_wrong("wrong label", file, "/" + split.name + names::kLabels,
                    "holds " + std::to_string(label) + " for sample " + std::to_string(i),
                    named ? "there are " + counted(classes, "class name") + ", so labels lie between 0 and " +
                                std::to_string(classes - 1)
                          : "labels count from 0");
    }
  }
  if (named) return classes;
  for (const SplitLayout& split : layout.splits)
    classes = std::max(classes, 1 + std::ranges::max(split.labels));
  return classes;
}

std::optional<Statistics> read_statistics(const io::File& file, const DatasetLayout& layout) {
  const std::string images = layout.splits.front().images();
  if (!file.has_attribute(images, names::kMean) || !file.has_attribute(images, names::kStd))
    return std::nullopt;
  Statistics statistics{file.attribute<std::vector<double>>(images, names::kMean),
                        file.attribute<std::vector<double>>(images, names::kStd)};
  for (const auto& [name, values] :
       {std::pair{names::kMean, &statistics.mean}, {names::kStd, &statistics.std}}) {
    const bool sound = std::ranges::all_of(*values, [](double x) { return std::isfinite(x); });
    const bool positive =
        name == names::kMean || std::ranges::all_of(*values, [](double x) { return x >= 0; });
    if (static_cast<std::int64_t>(values->size()) != layout.shape.c || !sound || !positive)
      throw_wrong("wrong statistics", file, images + ", attribute '" + name + "'", "does not fit",
                  "it should hold a finite number for each of " + counted(layout.shape.c, "channel"));
  }
  return statistics;
}

}  // namespace

std::string SplitLayout::images() const {
  return "/" + name + names::kImages;
}

const SplitLayout* DatasetLayout::find(const std::string& name) const {
  const auto found = std::ranges::find(splits, name, &SplitLayout::name);
  return found == splits.end() ? nullptr : &*found;
}

DatasetLayout read_layout(const io::File& file) {
  check_format(file);
  DatasetLayout layout;
  if (file.has_attribute("/", names::kSource))
    layout.source = file.attribute<std::string>("/", names::kSource);
  layout.class_names = read_class_names(file);
  for (const char* name : {names::kTrain, names::kTest, names::kValidation}) {
    if (file.exists(std::string("/") + name)) layout.splits.push_back(read_split(file, name, layout.shape));
  }
  if (layout.splits.empty())
    throw DataError(
        "no pictures in data set " + file.path() +
        " (none of /train, /test, /validation is there); each split is a group with images and labels");
  layout.classes = check_labels(file, layout);
  layout.statistics = read_statistics(file, layout);
  return layout;
}

}  // namespace convoy::data
