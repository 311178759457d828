#include "convoy/samples/layout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/samples/names.hpp"
#include "hold_out.hpp"
#include "image_shape.hpp"
#include "labels.hpp"
#include "targets.hpp"
#include "wrong.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kLargeChunk = std::int64_t{16} << 20;  // bytes

bool is_pixel(io::ElementType type) {
  return type != io::ElementType::kEnum && type != io::ElementType::kOtherFloat &&
         (is_integer(type) || is_real(type));
}

void check_format(const io::File& file, const Options& options) {
  if (!file.has_attribute("/", names::kFormat))
    throw DataError(
        fmt::format("not a data set: {} (it has no root attribute 'format'); make one with convoy import or "
                    "convoy synth, or say with {} and {} where in it images and labels lie",
                    file.path(), options.spelled("images"), options.spelled("labels")));
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

/// Which of labels and targets a split has.
struct Answers {
  bool are_labels;
  const std::string& text;   ///< where they lie; empty: nowhere
  const std::string& apart;  ///< in which files; empty: in those of the images
};
Answers answers_of(const Paths& paths) {
  if (paths.targets.empty()) return {true, paths.labels, paths.labels_file};
  return {false, paths.targets, paths.targets_file};
}

/// Reads the layouts of the files of one data set, one after another.
class LayoutReader {
 public:
  explicit LayoutReader(const Options& options) : options_(options), labels_(options) {}

  /// A file in Convoy's format.
  void add_own(const io::File& file);
  /// The files of split `name` in third-party files.
  void add_foreign(const std::vector<std::string>& files, const Paths& paths, const std::string& name);
  /// What one of the third-party files holds.
  void add_foreign_file(const std::string& path, const FileRoles& roles);
  [[nodiscard]] DatasetLayout finish();
  /// Without the checks of all files together.
  [[nodiscard]] DatasetLayout finish_one();

 private:
  SplitLayout& split_named(const std::string& name);
  std::int64_t add_images(const io::File& file, const std::string& images, SplitLayout& split,
                          bool may_be_one);
  void add_answers(const io::File& file, const std::string& text, bool are_labels, std::int64_t samples,
                   const std::string& images, SplitLayout& split);
  void add_answers_apart(const std::vector<std::string>& files, const std::string& text, bool are_labels,
                         SplitLayout& split);

  const Options& options_;
  DatasetLayout layout_;
  LabelReader labels_;
};

SplitLayout& LayoutReader::split_named(const std::string& name) {
  const auto found = std::ranges::find(layout_.splits, name, &SplitLayout::name);
  if (found != layout_.splits.end()) return *found;
  SplitLayout& split = layout_.splits.emplace_back();
  split.name = name;
  return split;
}

/// Adds the images of `file` to `split`; returns how many.
std::int64_t LayoutReader::add_images(const io::File& file, const std::string& images, SplitLayout& split,
                                      bool may_be_one) {
  const io::DatasetInfo stored = file.info(images);
  if (!is_pixel(stored.type))
    throw_wrong("wrong type", file, images, "is " + std::string(io::element_name(stored.type)),
                "images should be integers, bool, float16, float32 or float64" +
                    std::string(stored.type == io::ElementType::kVlen
                                    ? "; files of images in an array, such as JPEGs, go to a folder that "
                                      "convoy import folder reads"
                                    : ""));
  const Images found = images_of(file, images, stored.dims, options_, may_be_one);
  require_stored(file, images, stored);
  if (layout_.shape.c != 0 && found.shape != layout_.shape)
    throw_wrong("shapes differ", file, images, "holds images of " + to_string(found.shape),
                "those before it are " + to_string(layout_.shape));
  layout_.shape = found.shape;
  if (!split.pieces.empty() && split.axes != found.axes)
    throw_wrong("layouts differ", file, images, "is [" + to_string(stored.dims) + "]",
                "the files before it should have the same dimensions");
  split.axes = found.axes;
  split.function = options_.function;
  if (!split.pieces.empty() && split.type != stored.type)
    throw_wrong("types differ", file, images, "is " + std::string(io::element_name(stored.type)),
                "images of the files before it are " + std::string(io::element_name(split.type)));
  split.type = stored.type;
  const Range rows = rows_of(file, images, found.samples, options_.rows);
  const bool is_single = found.rows_a_sample > 1;
  if (const std::string warning = warning_of_chunks(images, stored); !warning.empty() && !is_single)
    layout_.warnings.push_back(file.path() + ", " + warning);
  note_other_files(stored, layout_);
  split.pieces.push_back({.file = file.path(),
                          .images = images,
                          .rows = {split.samples, split.samples + rows.size()},
                          .chunk_rows = stored.chunk.empty() || is_single ? 1 : stored.chunk[0],
                          .first_row = rows.begin,
                          .rows_a_sample = found.rows_a_sample});
  split.samples += rows.size();
  return rows.size();
}

/// Says where else the array that `text` names may lie, if `file` lacks it.
void require_there(const io::File& file, const std::string& text, const std::vector<std::string>& advice) {
  const io::Part part = file.part(text);
  if (file.exists(part.dataset)) return;
  try {
    (void)file.info(part);
  } catch (const DataError& error) {
    std::string message = error.what();
    for (const std::string& each : advice)
      if (!each.empty()) message += "; " + each;
    throw DataError(message);
  }
}

/// Reads labels, or notes the targets, of `samples` images; -1: of all in the file.
void LayoutReader::add_answers(const io::File& file, const std::string& text, bool are_labels,
                               std::int64_t samples, const std::string& images, SplitLayout& split) {
  const io::Part part = file.part(text);
  const std::int64_t first = split.answers.empty() ? 0 : split.answers.back().rows.end;
  const io::DatasetInfo info = file.info(part);
  AnswerPiece piece{.file = file.path(), .part = part, .rows = {}};
  if (are_labels) {
    const std::vector<std::int64_t> labels = labels_.read(file, part, samples, images);
    split.labels.insert(split.labels.end(), labels.begin(), labels.end());
    samples = static_cast<std::int64_t>(labels.size());
  } else {
    const Targets targets = targets_of(file, part, info, samples, images);
    if (layout_.classes != 0 && layout_.classes != targets.size)
      throw_wrong("shapes differ", file, text_of(part),
                  "holds " + counted(targets.size, "number") + " a sample",
                  "those before it hold " + std::to_string(layout_.classes));
    layout_.classes = targets.size;
    split.target_size = targets.size;
    samples = targets.samples;
    piece.rows_a_sample = targets.rows_a_sample;
  }
  note_other_files(info, layout_);
  piece.rows = {first, first + samples};
  split.answers.push_back(std::move(piece));
}

/// Labels or targets in files of their own.
void LayoutReader::add_answers_apart(const std::vector<std::string>& files, const std::string& text,
                                     bool are_labels, SplitLayout& split) {
  // A file of labels per file of images, or other numbers of them: then all together have to match.
  const bool are_pairs = files.size() == split.pieces.size();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::int64_t expected = are_pairs           ? split.pieces[i].rows.size()
                                  : files.size() == 1 ? split.samples
                                                      : kUnknownSamples;
    const io::File file = io::File::open(files[i]);
    require_there(file, text, {options_.advice_on_paths});
    add_answers(file, text, are_labels, expected,
                split.pieces[are_pairs ? i : 0].images + " of " + split.pieces[are_pairs ? i : 0].file,
                split);
  }
  const std::int64_t found = split.answers.back().rows.end;
  if (found != split.samples)
    throw DataError(fmt::format(
        "counts differ in data set {} ({} of {} holds {}, {} of {} holds {}); each image "
        "should have one",
        options_.file, split.pieces.front().images,
        counted(static_cast<std::int64_t>(split.pieces.size()), "file"), counted(split.samples, "image"),
        text, counted(static_cast<std::int64_t>(files.size()), "file"),
        counted(found, are_labels ? "label" : "target")));
}

void LayoutReader::add_foreign(const std::vector<std::string>& files, const Paths& paths,
                               const std::string& name) {
  SplitLayout& split = split_named(name);
  const auto [are_labels, text, apart] = answers_of(paths);
  for (const std::string& path : files) {
    const io::File file = io::File::open(path);
    require_there(file, paths.images, {options_.advice_on_paths});
    const std::int64_t samples = add_images(file, paths.images, split, files.size() > 1);
    if (text.empty() || !apart.empty()) continue;
    require_there(file, text,
                  {"a file of their own is " + options_.spelled(are_labels ? "labels-file" : "targets-file"),
                   options_.advice_on_paths});
    add_answers(file, text, are_labels, samples, paths.images, split);
  }
  if (!text.empty() && !apart.empty()) add_answers_apart(files_of(apart), text, are_labels, split);
  if (options_.axes == Axes::kNchw && options_.shape.c == 0 && looks_channels_last(layout_.shape) &&
      layout_.splits.size() == 1)
    layout_.warnings.push_back(
        fmt::format("{}, {}: images of {} and a width of {} look as if channels came last; data.layout = "
                    "NHWC reads them so",
                    files.front(), paths.images, counted(layout_.shape.c, "channel"), layout_.shape.w));
}

/// Statistics are used only if they are equal in all files.
void LayoutReader::add_own(const io::File& file) {
  const bool is_first = layout_.splits.empty();
  check_format(file, options_);
  // A file with a user block always has a checksum: if it is absent, the first bytes were overwritten.
  if (file.user_block_bytes() == io::kUserBlockBytes &&
      io::read_checksum(file.path()).state == io::ChecksumState::kAbsent)
    throw DataError(
        "damaged data set " + file.path() +
        " (the checksum that its first 512 bytes should hold is not there); make it again or copy it again");
  if (is_first && file.has_attribute("/", names::kSource))
    layout_.source = file.attribute<std::string>("/", names::kSource);
  std::vector<std::string> class_names;
  if (file.has_attribute("/", names::kClassNames))
    class_names = file.attribute<std::vector<std::string>>("/", names::kClassNames);
  if (!is_first && class_names != layout_.class_names)
    throw_wrong("class names differ", file, "the root's class_names", "are '" + join(class_names, ", ") + "'",
                "those of the files before it are '" + join(layout_.class_names, ", ") + "'");
  layout_.class_names = class_names;
  std::optional<Statistics> statistics;
  bool has_any = false;
  for (const char* name : {names::kTrain, names::kTest, names::kValidation}) {
    const std::string group = std::string("/") + name;
    if (!file.exists(group)) continue;
    const std::string images = group + names::kImages;
    const std::string labels = group + names::kLabels;
    const bool has_targets = file.exists(group + names::kTargets) && !file.exists(labels);
    SplitLayout& split = split_named(name);
    const std::int64_t samples = add_images(file, images, split, false);
    add_answers(file, has_targets ? group + names::kTargets : labels, !has_targets, samples, images, split);
    if (!has_any) statistics = read_statistics(file, images, layout_);
    has_any = true;
  }
  if (!has_any)
    throw DataError(
        "no images in data set " + file.path() +
        " (none of /train, /test, /validation is there); each split is a group with images and labels");
  // A function of pixels has other statistics.
  if (options_.function != PixelFunction::kNone) statistics = std::nullopt;
  const bool is_same =
      is_first || (statistics && layout_.statistics && statistics->mean == layout_.statistics->mean &&
                   statistics->std == layout_.statistics->std);
  layout_.statistics = is_same ? statistics : std::nullopt;
}

void LayoutReader::add_foreign_file(const std::string& path, const FileRoles& roles) {
  const auto is_in = [&](const auto& files) { return std::ranges::binary_search(files, path); };
  const io::File file = io::File::open(path);
  const auto add = [&](const std::vector<std::string>& files, const std::vector<std::string>& files_apart,
                       const Paths& paths, const std::string& name) {
    SplitLayout& split = split_named(name);
    const auto [are_labels, text, apart] = answers_of(paths);
    std::int64_t samples = kUnknownSamples;
    const bool has_images = is_in(files);
    if (has_images) samples = add_images(file, paths.images, split, files.size() > 1);
    if (!text.empty() && (apart.empty() ? has_images : is_in(files_apart)))
      add_answers(file, text, are_labels, apart.empty() ? samples : kUnknownSamples, paths.images, split);
  };
  add(roles.train, roles.train_answers, options_.train, names::kTrain);
  if (!roles.test.empty()) add(roles.test, roles.test_answers, test_paths(options_), names::kTest);
}

DatasetLayout LayoutReader::finish_one() {
  std::erase_if(layout_.splits, [](const SplitLayout& split) { return split.pieces.empty(); });
  hold_out(layout_, options_);
  return std::move(layout_);
}

DatasetLayout LayoutReader::finish() {
  const bool some_have_targets =
      std::ranges::any_of(layout_.splits, [](const SplitLayout& split) { return split.target_size > 0; });
  const bool all_have =
      std::ranges::all_of(layout_.splits, [](const SplitLayout& split) { return split.labels.empty(); });
  if (some_have_targets && !all_have)
    throw DataError("data set " + options_.file +
                    " holds labels for some samples and targets for others; they should have the same");
  hold_out(layout_, options_);
  labels_.number_classes(layout_);
  std::ranges::sort(layout_.other_files);
  layout_.other_files.erase(std::unique(layout_.other_files.begin(), layout_.other_files.end()),
                            layout_.other_files.end());
  return std::move(layout_);
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

const SplitLayout* DatasetLayout::find(const std::string& name) const {
  const auto found = std::ranges::find(splits, name, &SplitLayout::name);
  return found == splits.end() ? nullptr : &*found;
}

DatasetLayout read_layout(const Options& options) {
  LayoutReader reader(options);
  if (options.train.images.empty()) {
    for (const std::string& path : files_of(options.file)) reader.add_own(io::File::open(path));
  } else {
    reader.add_foreign(files_of(options.file), options.train, names::kTrain);
    if (const std::vector<std::string> files = test_files_of(options); !files.empty())
      reader.add_foreign(files, test_paths(options), names::kTest);
  }
  return reader.finish();
}

FileRoles file_roles(const Options& options) {
  FileRoles roles;
  if (options.train.images.empty()) return roles;
  roles.train = files_of(options.file);
  roles.test = test_files_of(options);
  const auto answers = [](const Paths& paths) {
    const std::string& apart = answers_of(paths).apart;
    return apart.empty() ? std::vector<std::string>{} : files_of(apart);
  };
  roles.train_answers = answers(options.train);
  if (!roles.test.empty()) roles.test_answers = answers(test_paths(options));
  for (auto* files : {&roles.train, &roles.test, &roles.train_answers, &roles.test_answers})
    std::ranges::sort(*files);
  return roles;
}

DatasetLayout read_layout_of(const std::string& path, const Options& options, const FileRoles& roles) {
  LayoutReader reader(options);
  if (options.train.images.empty())
    reader.add_own(io::File::open(path));
  else
    reader.add_foreign_file(path, roles);
  return reader.finish_one();
}

}  // namespace convoy::data
