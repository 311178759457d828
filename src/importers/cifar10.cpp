// CIFAR-10's binary version: records of one label byte and 3 planes of 32x32 bytes.

#include <fmt/core.h>

#include <array>
#include <vector>

#include "byte_stream.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/importers/dataset_writer.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

constexpr Shape kShape{3, 32, 32};
constexpr std::size_t kRecordBytes = 3073;
constexpr std::int64_t kCifarClasses = 10;
using Record = std::array<std::uint8_t, kRecordBytes>;

const std::vector<std::string>& published_names() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

std::vector<std::string> class_names(const std::string& folder) {
  const std::string path = folder + "/batches.meta.txt";
  if (!io::exists(path)) return published_names();
  constexpr std::int64_t kMostBytes = 1 << 16;
  std::vector<std::string> names = split_words(io::read_text_file(path, kMostBytes));
  if (static_cast<std::int64_t>(names.size()) != kCifarClasses)
    throw DataError(fmt::format("wrong class names in {} (it holds {}); it should hold 10, one a line", path,
                                names.size()));
  return names;
}

// Calls `use(record, number)` for every record of a file; returns the number of records.
template <class Use>
std::int64_t for_each_record(const std::string& folder, const std::string& name, const Use& use) {
  ByteStream stream = open_either(folder, name);
  Record record{};
  for (std::int64_t number = 0;; ++number) {
    const std::size_t got = stream.read(record);
    if (got == 0 && number > 0) return number;
    if (got < kRecordBytes)
      throw DataError(
          fmt::format("truncated file {} (after {} of 3,073 bytes {} bytes are left); it should hold whole "
                      "records, at least one",
                      stream.path(), counted(number, "record"), got));
    if (record.front() >= kCifarClasses)
      throw DataError(fmt::format("wrong label in {} (of record {}: {}); labels lie between 0 and 9",
                                  stream.path(), number, record.front()));
    use(record);
  }
}

void copy_split(const std::string& folder, const std::vector<std::string>& files, const char* split,
                DatasetWriter& writer) {
  // Reads the files twice: the output needs the count first, and compressed files do not contain it.
  std::int64_t samples = 0;
  for (const std::string& file : files) samples += for_each_record(folder, file, [](const Record&) {});
  writer.begin_split(split, samples);
  for (const std::string& file : files) {
    for_each_record(folder, file, [&](const Record& record) {
      const std::int64_t label = record.front();
      writer.append(std::span(record).subspan(1), {&label, 1});
    });
  }
}

}  // namespace

void import_cifar10(const std::string& folder, const std::string& out, Observer* observer) {
  std::vector<std::string> train;
  for (int batch = 1; batch <= 5; ++batch) train.push_back(fmt::format("data_batch_{}.bin", batch));
  const std::vector<std::string> test{"test_batch.bin"};
  // Check for missing files before writing anything.
  for (const std::string& file : train) (void)open_either(folder, file);
  (void)open_either(folder, test.front());
  DatasetWriter writer(
      out, {.shape = kShape, .source = "CIFAR-10, binary version", .class_names = class_names(folder)},
      observer);
  copy_split(folder, train, data::names::kTrain, writer);
  copy_split(folder, test, data::names::kTest, writer);
  writer.finish();
}

}  // namespace convoy::importers
