#include "convoy/samples/layout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kLargeChunk = std::int64_t{16} << 20;  // bytes

[[noreturn]] void throw_wrong(const std::string& problem, const io::File& file, const std::string& object,
                              const std::string& why, const std::string& right) {
  throw DataError(fmt::format("{} in data set {} ({} {}); {}", problem, file.path(), object, why, right));
}

bool is_pixel(io::ElementType type) {
  return type != io::ElementType::kInt64 && type != io::ElementType::kOtherInteger &&
         type != io::ElementType::kOtherFloat && (is_integer(type) || is_real(type));
}

void check_format(const io::File& file) {
  if (!file.has_attribute("/", names::kFormat))
    throw DataError("not a data set: " + file.path() +
                    " (it has no root attribute 'format'); make one with convoy import or convoy synth, or "
                    "say with data.images and data.labels where in it images and labels lie");
  const auto format = file.attribute<std::string>("/", names::kFormat);
  if (format != names::kFormatValue)
    throw DataError(fmt::format("not a data set: {} (its format is '{}'); it should be '{}'", file.path(),
                                format, names::kFormatValue));
  const auto version = file.attribute<std::int64_t>("/", names::kFormatVersion);
  if (version != names::kFormatVersionValue)
    throw DataError(fmt::format(
        "unknown version of data set {} (its format_version is {}); this program reads version {}",
        file.path(), version, names::kFormatVersionValue));
}

// Reject data sets that state more than the file can hold: they are incomplete. Do not allocate memory for
// them.
void check_stored(const io::File& file, const std::string& path, const io::DatasetInfo& info) {
  if (info.promises_too_much())
    throw_wrong("missing content", file, path,
                fmt::format("promises {} elements but stores {} bytes", grouped(count(info.dims)),
                            grouped(info.stored_bytes)),
                "it was not written to the end");
}

std::string words_of(Axes axes) {
  constexpr std::array<const char*, 3> kWords{"four dimensions, [N][C][H][W]",
                                              "four dimensions, [N][H][W][C]", "three dimensions, [N][H][W]"};
  return kWords.at(static_cast<std::size_t>(axes));
}

Shape shape_of(const Dims& dims, Axes axes) {
  switch (axes) {
    case Axes::kNchw:
      return {dims[1], dims[2], dims[3]};
    case Axes::kNhwc:
      return {dims[3], dims[1], dims[2]};
    case Axes::kNhw:
      break;
  }
  return {1, dims[1], dims[2]};
}

// Labels: one per sample, [N] or [N][1].
std::vector<std::int64_t> read_labels(const io::File& file, const std::string& path, std::int64_t samples,
                                      const std::string& images) {
  const io::DatasetInfo info = file.info(path);
  if (!is_integer(info.type))
    throw_wrong("wrong type", file, path, "is " + std::string(io::element_name(info.type)),
                "it should be an integer type");
  if (info.dims != Dims{samples} && info.dims != Dims{samples, 1})
    throw_wrong("counts differ", file, path, "is [" + to_string(info.dims) + "]",
                images + " holds " + counted(samples, "image"));
  check_stored(file, path, info);
  return file.read<std::int64_t>(path, info.dims);
}

// Numbers per sample.
std::int64_t size_of_targets(const io::File& file, const std::string& path, std::int64_t samples,
                             const std::string& images) {
  const io::DatasetInfo info = file.info(path);
  if (!is_real(info.type))
    throw_wrong("wrong type", file, path, "is " + std::string(io::element_name(info.type)),
                "targets should be float16, float32 or float64; integers that name classes are labels");
  if (info.dims.empty() || info.dims[0] != samples || count(info.dims) == 0)
    throw_wrong("counts differ", file, path, "is [" + to_string(info.dims) + "]",
                images + " holds " + counted(samples, "image"));
  check_stored(file, path, info);
  return count(info.dims) / samples;
}

void note_other_files(const io::DatasetInfo& info, DatasetLayout& layout) {
  layout.other_files.insert(layout.other_files.end(), info.other_files.begin(), info.other_files.end());
}

// The rows of `images` to read: those asked for, else all.
Range rows_of(const io::File& file, const std::string& images, std::int64_t samples,
              const std::optional<Range>& wanted) {
  if (!wanted) return {0, samples};
  if (wanted->begin < 0 || wanted->begin >= wanted->end || wanted->end > samples)
    throw DataError(
        fmt::format("no such samples in data set {} ([{}:{}] of {}, which holds {}); a range is "
                    "[BEGIN:END], counted from 0, without END",
                    file.path(), wanted->begin, wanted->end, images, counted(samples, "image")));
  return *wanted;
}

// Reads labels, or notes the targets, of `samples` images.
void add_answers(const io::File& file, const Paths& paths, std::int64_t samples, SplitLayout& split,
                 DatasetLayout& layout) {
  if (paths.targets.empty()) {
    const std::vector<std::int64_t> labels = read_labels(file, paths.labels, samples, paths.images);
    split.labels.insert(split.labels.end(), labels.begin(), labels.end());
  } else {
    const std::int64_t size = size_of_targets(file, paths.targets, samples, paths.images);
    if (layout.classes != 0 && layout.classes != size)
      throw_wrong("shapes differ", file, paths.targets, "holds " + counted(size, "number") + " a sample",
                  "those before it hold " + std::to_string(layout.classes));
    layout.classes = size;
    split.target_size = size;
  }
  note_other_files(file.info(paths.targets.empty() ? paths.labels : paths.targets), layout);
}

// Adds the content of `file` at `paths` to `split` of `layout`.
void add_piece(const io::File& file, const Paths& paths, SplitLayout& split, DatasetLayout& layout,
               const std::optional<Range>& wanted = std::nullopt) {
  const io::DatasetInfo stored = file.info(paths.images);
  const std::string& images = paths.images;
  if (stored.dims.size() != (split.axes == Axes::kNhw ? 3 : 4))
    throw_wrong("wrong shape", file, images, "is [" + to_string(stored.dims) + "]",
                "it should have " + words_of(split.axes) + " (data.layout)");
  if (!is_pixel(stored.type))
    throw_wrong("wrong type", file, images, "is " + std::string(io::element_name(stored.type)),
                "it should be uint8, int16, uint16, float16, float32 or float64");
  if (std::ranges::count(stored.dims, 0) > 0)
    throw_wrong("wrong shape", file, images, "is [" + to_string(stored.dims) + "]", "no extent may be zero");
  check_stored(file, images, stored);
  const Shape found = shape_of(stored.dims, split.axes);
  if (layout.shape.c != 0 && found != layout.shape)
    throw_wrong("shapes differ", file, images, "holds images of " + to_string(found),
                "those before it are " + to_string(layout.shape));
  layout.shape = found;
  if (!split.pieces.empty() && split.type != stored.type)
    throw_wrong("types differ", file, images, "is " + std::string(io::element_name(stored.type)),
                "images of the files before it are " + std::string(io::element_name(split.type)));
  split.type = stored.type;

  const Range rows = rows_of(file, images, stored.dims[0], wanted);
  const std::int64_t samples = rows.size();
  const std::int64_t chunk_rows = stored.chunk.empty() ? 1 : stored.chunk[0];
  if (const std::string warning = warning_of_chunks(images, stored); !warning.empty())
    layout.warnings.push_back(file.path() + ", " + warning);
  note_other_files(stored, layout);
  split.has_answers = !paths.labels.empty() || !paths.targets.empty();
  if (split.has_answers) add_answers(file, paths, samples, split, layout);
  split.pieces.push_back({.file = file.path(),
                          .images = images,
                          .rows = {split.samples, split.samples + samples},
                          .chunk_rows = chunk_rows,
                          .targets = paths.targets,
                          .first_row = rows.begin});
  split.samples += samples;
}

SplitLayout& split_named(DatasetLayout& layout, const std::string& name, Axes axes) {
  const auto found = std::ranges::find(layout.splits, name, &SplitLayout::name);
  if (found != layout.splits.end()) return *found;
  SplitLayout& split = layout.splits.emplace_back();
  split.name = name;
  split.axes = axes;
  return split;
}

// Checks that every label is in range; returns the number of classes.
std::int64_t check_labels(const DatasetLayout& layout) {
  constexpr std::int64_t kMostClasses = 1 << 20;
  std::int64_t classes = static_cast<std::int64_t>(layout.class_names.size());
  const bool named = classes > 0;
  for (const SplitLayout& split : layout.splits) {
    for (std::size_t i = 0; i < split.labels.size(); ++i) {
      const std::int64_t label = split.labels[i];
      if (label >= 0 && label < (named ? classes : kMostClasses)) continue;
      const auto piece = std::ranges::find_if(
          split.pieces, [&](const Piece& each) { return static_cast<std::int64_t>(i) < each.rows.end; });
      throw DataError(fmt::format("wrong label in data set {} (it holds {} for sample {} of {}); {}",
                                  piece->file, label, static_cast<std::int64_t>(i) - piece->rows.begin,
                                  piece->images,
                                  named ? fmt::format("there are {}, so labels lie between 0 and {}",
                                                      counted(classes, "class name"), classes - 1)
                                        : "labels count from 0"));
    }
  }
  if (named) return classes;
  for (const SplitLayout& split : layout.splits)
    if (split.has_answers) classes = std::max(classes, 1 + std::ranges::max(split.labels));
  return classes;
}

std::optional<Statistics> read_statistics(const io::File& file, const std::string& images,
                                          const DatasetLayout& layout) {
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
      throw_wrong("wrong statistics", file, fmt::format("{}, attribute '{}'", images, name), "does not fit",
                  "it should hold a finite number for each of " + counted(layout.shape.c, "channel"));
  }
  return statistics;
}

// Adds a file in Convoy's format. Statistics are used only if they are equal in all files.
void add_own(const io::File& file, bool is_first, DatasetLayout& layout) {
  check_format(file);
  // A file with a user block always has a checksum: if it is absent, the first bytes were overwritten.
  if (file.user_block_bytes() == io::kUserBlockBytes &&
      io::read_checksum(file.path()).state == io::ChecksumState::kAbsent)
    throw DataError(
        "damaged data set " + file.path() +
        " (the checksum that its first 512 bytes should hold is not there); make it again or copy it again");
  if (is_first && file.has_attribute("/", names::kSource))
    layout.source = file.attribute<std::string>("/", names::kSource);
  std::vector<std::string> class_names;
  if (file.has_attribute("/", names::kClassNames))
    class_names = file.attribute<std::vector<std::string>>("/", names::kClassNames);
  if (!is_first && class_names != layout.class_names)
    throw_wrong("class names differ", file, "the root's class_names", "are '" + join(class_names, ", ") + "'",
                "those of the files before it are '" + join(layout.class_names, ", ") + "'");
  layout.class_names = class_names;
  std::optional<Statistics> statistics;
  bool has_any = false;
  for (const char* name : {names::kTrain, names::kTest, names::kValidation}) {
    const std::string group = std::string("/") + name;
    if (!file.exists(group)) continue;
    Paths paths{.images = group + names::kImages, .labels = group + names::kLabels, .targets = {}};
    if (file.exists(group + names::kTargets) && !file.exists(paths.labels))
      paths.targets = group + names::kTargets;
    add_piece(file, paths, split_named(layout, name, Axes::kNchw), layout);
    if (!has_any) statistics = read_statistics(file, paths.images, layout);
    has_any = true;
  }
  if (!has_any)
    throw DataError(
        "no images in data set " + file.path() +
        " (none of /train, /test, /validation is there); each split is a group with images and labels");
  const bool is_same =
      is_first || (statistics && layout.statistics && statistics->mean == layout.statistics->mean &&
                   statistics->std == layout.statistics->std);
  layout.statistics = is_same ? statistics : std::nullopt;
}

// Adds a third-party file to split `name`.
void add_foreign(const io::File& file, const Paths& paths, const std::string& name, Axes axes,
                 DatasetLayout& layout, const std::optional<Range>& rows = std::nullopt) {
  const bool is_first = layout.splits.empty();
  add_piece(file, paths, split_named(layout, name, axes), layout, rows);
  const Shape& shape = layout.shape;
  if (is_first && axes == Axes::kNchw && (shape.w == 1 || shape.w == 3 || shape.w == 4) && shape.c > 4)
    layout.warnings.push_back(
        fmt::format("{}, {}: images of {} and a width of {} look as if channels came last; data.layout = "
                    "NHWC reads them so",
                    file.path(), paths.images, counted(shape.c, "channel"), shape.w));
}

}  // namespace

std::string warning_of_chunks(const std::string& path, const io::DatasetInfo& info) {
  if (info.chunk.empty() || info.dims.size() != info.chunk.size()) return {};
  // Bytes of all chunks that one sample touches.
  std::int64_t bytes = info.chunk[0] * info.element_bytes;
  for (std::size_t i = 1; i < info.chunk.size(); ++i)
    bytes *= (info.dims[i] + info.chunk[i] - 1) / info.chunk[i] * info.chunk[i];
  if (bytes <= kLargeChunk) return {};
  return fmt::format(
      "{}: chunks of {} ({}) are read whole even for one sample{}; chunks of a few samples read faster "
      "(h5repack -l CHUNK=…)",
      path, in_bytes(count(info.chunk) * info.element_bytes), to_string(info.chunk),
      bytes > count(info.chunk) * info.element_bytes ? ", " + in_bytes(bytes) + " in all" : "");
}

const std::vector<std::string_view>& axes_names() {
  static const std::vector<std::string_view> names{"NCHW", "NHWC", "NHW"};
  return names;
}

const SplitLayout* DatasetLayout::find(const std::string& name) const {
  const auto found = std::ranges::find(splits, name, &SplitLayout::name);
  return found == splits.end() ? nullptr : &*found;
}

DatasetLayout read_layout_of(const std::string& path, const Options& options) {
  DatasetLayout layout;
  const io::File file = io::File::open(path);
  if (options.train.images.empty()) {
    add_own(file, true, layout);
    return layout;
  }
  const auto is_in = [&](const std::vector<std::string>& files) {
    return std::ranges::find(files, path) != files.end();
  };
  if (is_in(files_of(options.file)))
    add_foreign(file, options.train, names::kTrain, options.axes, layout, options.rows);
  if (is_in(test_files_of(options)))
    add_foreign(file, test_paths(options), names::kTest, options.axes, layout);
  return layout;
}

DatasetLayout read_layout(const Options& options) {
  DatasetLayout layout;
  bool is_first = true;
  if (options.train.images.empty()) {
    for (const std::string& path : files_of(options.file)) {
      add_own(io::File::open(path), is_first, layout);
      is_first = false;
    }
  } else {
    for (const std::string& path : files_of(options.file))
      add_foreign(io::File::open(path), options.train, names::kTrain, options.axes, layout, options.rows);
    for (const std::string& path : test_files_of(options))
      add_foreign(io::File::open(path), test_paths(options), names::kTest, options.axes, layout);
  }
  const bool some_have_targets =
      std::ranges::any_of(layout.splits, [](const SplitLayout& split) { return split.target_size > 0; });
  const bool all_have =
      std::ranges::all_of(layout.splits, [](const SplitLayout& split) { return split.labels.empty(); });
  if (some_have_targets && !all_have)
    throw DataError("data set " + options.file +
                    " holds labels for some samples and targets for others; they should have the same");
  if (!some_have_targets) layout.classes = check_labels(layout);
  std::ranges::sort(layout.other_files);
  layout.other_files.erase(std::unique(layout.other_files.begin(), layout.other_files.end()),
                           layout.other_files.end());
  return layout;
}

}  // namespace convoy::data
