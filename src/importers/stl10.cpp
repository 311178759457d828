// STL-10's binary version: files of images, 3 planes of 96x96 bytes each, every plane by columns, and files
// of labels, a byte from 1 to 10 each.

#include <fmt/core.h>

#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"
#include "source_files.hpp"

namespace convoy::importers {
namespace {

constexpr Shape kStlShape{3, 96, 96};
constexpr std::int64_t kClasses = 10;

std::vector<std::string> class_names(const std::string& folder) {
  const std::string path = folder + "/class_names.txt";
  if (!io::exists(path))
    return {"airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"};
  constexpr std::int64_t kMostBytes = 1 << 16;
  std::vector<std::string> names = split_words(io::read_text_file(path, kMostBytes));
  if (static_cast<std::int64_t>(names.size()) != kClasses) {
    io::refuse_foreign_content(path);
    throw DataError(fmt::format("wrong class names in {} (it holds {}); it should hold 10, one a line", path,
                                names.size()));
  }
  return names;
}

std::vector<std::int64_t> read_labels(ByteStream stream) {
  std::vector<std::int64_t> labels;
  for (std::uint8_t byte = 0; stream.read({&byte, 1}) > 0;) {
    if (byte < 1 || byte > kClasses) {
      io::refuse_foreign_content(stream.path());
      throw DataError(fmt::format("wrong label in {} (number {} is {}); labels lie between 1 and 10",
                                  stream.path(), labels.size(), byte));
    }
    labels.push_back(byte - 1);
  }
  if (labels.empty()) throw DataError(fmt::format("empty file {}; copy or download it again", stream.path()));
  return labels;
}

std::vector<std::uint8_t> by_rows(const std::vector<std::uint8_t>& stored) {
  std::vector<std::uint8_t> image(stored.size());
  std::size_t next = 0;
  for (std::int64_t c = 0; c < kStlShape.c; ++c)
    for (std::int64_t y = 0; y < kStlShape.h; ++y)
      for (std::int64_t x = 0; x < kStlShape.w; ++x)
        image[next++] = stored[static_cast<std::size_t>((c * kStlShape.w + x) * kStlShape.h + y)];
  return image;
}

void copy_split(ByteStream images, const std::vector<std::int64_t>& labels, const char* split,
                DatasetWriter& writer) {
  writer.begin_split(split, static_cast<std::int64_t>(labels.size()));
  std::vector<std::uint8_t> stored(static_cast<std::size_t>(kStlShape.size()));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    images.read_exactly(stored, fmt::format("image {} of the {} that have labels", i, labels.size()));
    writer.append(by_rows(stored), {&labels[i], 1});
  }
  images.require_end(counted(static_cast<std::int64_t>(labels.size()), "image"));
}

/// Images in unlabeled_X.bin, by its size; 0 if it is not there, or compressed.
std::int64_t unlabelled(const std::string& folder) {
  const std::string path = folder + "/unlabeled_X.bin";
  return io::exists(path) ? io::file_size(path) / kStlShape.size() : 0;
}

}  // namespace

ImportReport import_stl10(const std::string& folder, const std::string& out, Observer* observer) {
  ByteStream train = open_either(folder, "train_X.bin");
  ByteStream test = open_either(folder, "test_X.bin");
  const std::vector<std::int64_t> train_labels = read_labels(open_either(folder, "train_y.bin"));
  const std::vector<std::int64_t> test_labels = read_labels(open_either(folder, "test_y.bin"));
  DatasetWriter writer(
      out, {.shape = kStlShape, .source = "STL-10, binary version", .class_names = class_names(folder)},
      observer);
  copy_split(std::move(train), train_labels, data::names::kTrain, writer);
  copy_split(std::move(test), test_labels, data::names::kTest, writer);
  writer.finish();
  ImportReport report{.shape = kStlShape,
                      .classes = kClasses,
                      .splits = {{data::names::kTrain, static_cast<std::int64_t>(train_labels.size())},
                                 {data::names::kTest, static_cast<std::int64_t>(test_labels.size())}}};
  if (const std::int64_t others = unlabelled(folder); others > 0)
    report.notes.push_back(
        fmt::format("Left aside: {} without labels (unlabeled_X.bin).", counted(others, "image")));
  return report;
}

}  // namespace convoy::importers
