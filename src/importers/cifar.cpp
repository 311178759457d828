// The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3 planes of 32x32
// bytes.

#include <fmt/core.h>

#include <array>
#include <vector>

#include "class_numbers.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"
#include "source_files.hpp"

namespace convoy::importers {
namespace {

constexpr Shape kCifarShape{3, 32, 32};

/// Records of one of the two.
struct Format {
  std::size_t label_bytes;  ///< at the record's begin
  std::size_t label;        ///< which of them
  std::int64_t classes;
  std::string hint;                ///< if a file is missing
  std::vector<std::string> names;  ///< of the classes if the file of names is missing

  [[nodiscard]] std::size_t record_bytes() const { return label_bytes + 3072; }
};

const Format& cifar10() {
  static const Format format{
      1,
      0,
      10,
      "'convoy import cifar100' reads CIFAR-100 (train.bin, test.bin)",
      {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
  return format;
}

std::vector<std::string> class_names(const std::string& path, const Format& format) {
  if (!io::exists(path)) return format.names;
  constexpr std::int64_t kMostBytes = 1 << 16;
  std::vector<std::string> names = split_words(io::read_text_file(path, kMostBytes));
  if (static_cast<std::int64_t>(names.size()) != format.classes) {
    io::refuse_foreign_content(path);
    throw DataError(fmt::format("wrong class names in {} (it holds {}); it should hold {}, one a line", path,
                                names.size(), format.classes));
  }
  return names;
}

// Calls `use(image, label)` for every record of a file; returns the number of records.
template <class Use>
std::int64_t for_each_record(const std::string& folder, const std::string& name, const Format& format,
                             const Use& use) {
  ByteStream stream = open_either(folder, name, format.hint);
  std::vector<std::uint8_t> record(format.record_bytes());
  for (std::int64_t number = 0;; ++number) {
    const std::size_t got = stream.read(record);
    if (got == 0 && number > 0) return number;
    if (got < record.size() || record[format.label] >= format.classes)
      io::refuse_foreign_content(stream.path());
    if (got < record.size())
      throw DataError(fmt::format(
          "truncated file {} (after {} of {} bytes {} bytes are left); it should hold whole "
          "records, at least one",
          stream.path(), counted(number, "record"), grouped(static_cast<std::int64_t>(record.size())), got));
    const std::int64_t label = record[format.label];
    if (label >= format.classes)
      throw DataError(fmt::format("wrong label in {} (of record {}: {}); labels lie between 0 and {}",
                                  stream.path(), number, label, format.classes - 1));
    use(std::span(record).subspan(format.label_bytes), label);
  }
}

std::int64_t copy_split(const std::string& folder, const std::vector<std::string>& files, const char* split,
                        const Format& format, DatasetWriter& writer) {
  // Reads the files twice: the output needs the count first, and compressed files do not contain it.
  std::int64_t samples = 0;
  for (const std::string& file : files)
    samples += for_each_record(folder, file, format, [](std::span<const std::uint8_t>, std::int64_t) {});
  writer.begin_split(split, samples);
  for (const std::string& file : files)
    for_each_record(folder, file, format, [&](std::span<const std::uint8_t> image, std::int64_t label) {
      writer.append(image, {&label, 1});
    });
  return samples;
}

}  // namespace

void import_cifar10(const std::string& folder, const std::string& out, Observer* observer) {
  const Format& format = cifar10();
  std::vector<std::string> train;
  for (int batch = 1; batch <= 5; ++batch) train.push_back(fmt::format("data_batch_{}.bin", batch));
  const std::vector<std::string> test{"test_batch.bin"};
  // Check for missing files before writing anything.
  for (const std::string& file : train) (void)open_either(folder, file, format.hint);
  (void)open_either(folder, test.front(), format.hint);
  DatasetWriter writer(out,
                       {.shape = kCifarShape,
                        .source = "CIFAR-10, binary version",
                        .class_names = class_names(folder + "/batches.meta.txt", format)},
                       observer);
  copy_split(folder, train, data::names::kTrain, format, writer);
  copy_split(folder, test, data::names::kTest, format, writer);
  writer.finish();
}

ImportReport import_cifar100(const std::string& folder, const std::string& out, Cifar100Labels labels,
                             Observer* observer) {
  const bool is_fine = labels == Cifar100Labels::kFine;
  Format format{2,
                is_fine ? std::size_t{1} : std::size_t{0},
                is_fine ? 100 : 20,
                "'convoy import cifar10' reads CIFAR-10 (data_batch_1.bin ...)",
                {}};
  for (std::int64_t k = 0; k < format.classes; ++k) format.names.push_back(std::to_string(k));
  const std::string names = folder + (is_fine ? "/fine_label_names.txt" : "/coarse_label_names.txt");
  for (const char* file : {"train.bin", "test.bin"}) (void)open_either(folder, file, format.hint);
  DatasetWriter writer(
      out,
      {.shape = kCifarShape,
       .source = fmt::format("CIFAR-100, binary version, {} labels", is_fine ? "fine" : "coarse"),
       .class_names = class_names(names, format)},
      observer);
  ImportReport report{.shape = kCifarShape, .classes = format.classes};
  for (const auto& [file, split] :
       {std::pair{"train.bin", data::names::kTrain}, {"test.bin", data::names::kTest}})
    report.splits.push_back({split, copy_split(folder, {file}, split, format, writer)});
  writer.finish();
  if (!io::exists(names))
    report.notes.push_back("The classes are named by number: there is no " + names + ".");
  return report;
}

}  // namespace convoy::importers
