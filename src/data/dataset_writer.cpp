#include "convoy/data/dataset_writer.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/commit.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/hdf5_file.hpp"
#include "names.hpp"
#include "statistics.hpp"

namespace convoy::data {
namespace {

constexpr int kGzipLevel = 4;
constexpr std::int64_t kLabelsPerChunk = 4096;

// A few samples a chunk: what one read of a random sample costs stays small, also with large pictures.
std::int64_t samples_per_chunk(const Shape& shape) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 18;
  return std::clamp<std::int64_t>(kMostBytes / shape.size(), 1, 16);
}

}  // namespace

struct DatasetWriter::Impl {
  Impl(const std::string& target, DatasetHeader about)
      : header(std::move(about)),
        pending(target, self),
        file(io::File::create(pending.path(), self)),
        train(header.shape) {}

  comm::Communicator self = comm::Communicator::self();
  DatasetHeader header;
  io::PendingFile pending;
  io::File file;
  ByteSums train;
  std::vector<std::string> splits;
  std::int64_t samples = 0;  ///< of the split being written
  std::int64_t written = 0;
  std::vector<std::int64_t> labels;    ///< of the split being written
  std::vector<std::uint8_t> gathered;  ///< samples of a chunk that is not full yet

  [[nodiscard]] std::string group() const { return "/" + splits.back(); }

  void end_split() {
    if (splits.empty()) return;
    if (written != samples)
      throw std::logic_error("split " + splits.back() + " got " + std::to_string(written) + " of " +
                             std::to_string(samples) + " samples");
    flush();
    file.write<std::int64_t>(group() + names::kLabels, {samples}, labels,
                             {.chunk_rows = kLabelsPerChunk, .fletcher32 = true});
    labels.clear();
  }

  // Whole chunks alone are written, so that none is compressed twice.
  void flush() {
    const auto n = static_cast<std::int64_t>(gathered.size()) / header.shape.size();
    file.write_rows<std::uint8_t>(group() + names::kImages, {written - n, written}, gathered);
    gathered.clear();
  }
};

DatasetWriter::DatasetWriter(const std::string& target, DatasetHeader header) {
  io::sweep_temporaries(io::folder_of(target), io::name_of(target), io::Sweep::kDeadOnThisHost);
  impl_ = std::make_unique<Impl>(target, std::move(header));
  io::File& file = impl_->file;
  file.set_attribute("/", names::kFormat, names::kFormatValue);
  file.set_attribute("/", names::kFormatVersion, names::kFormatVersionValue);
  file.set_attribute("/", names::kSource, std::string_view(impl_->header.source));
  if (!impl_->header.class_names.empty())
    file.set_attribute("/", names::kClassNames, impl_->header.class_names);
}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::begin_split(const std::string& name, std::int64_t samples) {
  impl_->end_split();
  impl_->splits.push_back(name);
  impl_->samples = samples;
  impl_->written = 0;
  const Shape& shape = impl_->header.shape;
  impl_->file.create_dataset<std::uint8_t>(
      impl_->group() + names::kImages, {samples, shape.c, shape.h, shape.w},
      {.chunk_rows = samples_per_chunk(shape), .gzip_level = kGzipLevel, .fletcher32 = true});
}

void DatasetWriter::append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels) {
  const auto size = static_cast<std::size_t>(impl_->header.shape.size());
  const auto chunk_bytes = static_cast<std::size_t>(64 * samples_per_chunk(impl_->header.shape)) * size;
  if (images.size() != labels.size() * size ||
      impl_->written + static_cast<std::int64_t>(labels.size()) > impl_->samples)
    throw std::logic_error("append to split " + impl_->splits.back() + " does not fit");
  if (impl_->splits.back() == names::kTrain) impl_->train.add(images);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= static_cast<std::int64_t>(impl_->header.class_names.size()))
      throw std::logic_error("label " + std::to_string(labels[i]) + " is out of range");
    impl_->labels.push_back(labels[i]);
    const auto picture = images.subspan(i * size, size);
    impl_->gathered.insert(impl_->gathered.end(), picture.begin(), picture.end());
    ++impl_->written;
    if (impl_->gathered.size() >= chunk_bytes) impl_->flush();
  }
}

void DatasetWriter::finish() {
  impl_->end_split();
  const Statistics statistics = impl_->train.statistics();
  for (const std::string& split : impl_->splits) {
    impl_->file.set_attribute("/" + split + names::kImages, names::kMean, statistics.mean);
    impl_->file.set_attribute("/" + split + names::kImages, names::kStd, statistics.std);
  }
  impl_->file.close();
  impl_->pending.commit();
}

}  // namespace convoy::data
