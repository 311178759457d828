#include "convoy/importers/dataset_writer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/statistics.hpp"
#include "convoy/hdf5/chunk.hpp"
#include "convoy/hdf5/commit.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

constexpr int kGzipLevel = 4;
constexpr std::int64_t kLabelsPerChunk = 4096;

io::Storage storage_of(const Shape& shape, std::int64_t samples) {
  return {.chunk_rows = samples_per_chunk(shape, samples), .gzip_level = kGzipLevel, .fletcher32 = true};
}

}  // namespace

// Few images per chunk, so that reading one random sample is cheap also for large images.
std::int64_t samples_per_chunk(const Shape& shape, std::int64_t samples) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 18;
  return std::min(samples, std::clamp<std::int64_t>(kMostBytes / shape.size(), 1, 16));
}

FinishedChunk finish_chunk(const Shape& shape, std::int64_t samples, std::span<const std::uint8_t> images) {
  data::ByteSums sums(shape);
  sums.add(images);
  const io::Storage storage = storage_of(shape, samples);
  const auto whole = static_cast<std::size_t>(storage.chunk_rows * shape.size());
  if (images.size() == whole) return {io::filter_chunk(images, storage), sums.numbers()};
  std::vector<std::uint8_t> padded(whole);
  std::ranges::copy(images, padded.begin());
  return {io::filter_chunk(padded, storage), sums.numbers()};
}

void throw_stopped(ExitStatus status, const std::string& target) {
  throw Error(status, "stopped on request; " + target +
                          (io::exists(target) ? " is as it was before" : " was not made"));
}

void stop_if_asked(const Observer* observer, const std::string& target) {
  if (observer == nullptr) return;
  if (const auto status = observer->stop_status()) throw_stopped(*status, target);
}

struct DatasetWriter::Impl {
  Impl(const std::string& out, DatasetHeader about, Observer* watching)
      : observer(watching),
        target(out),
        header(std::move(about)),
        pending(target, self),
        file(io::File::create(pending.path(), self)),
        train(header.shape) {}

  comm::Communicator self = comm::Communicator::self();
  Observer* observer;
  std::string target;
  DatasetHeader header;
  io::PendingFile pending;
  io::File file;
  data::ByteSums train;
  std::vector<std::string> splits;
  std::int64_t samples = 0;  ///< of the current split
  std::int64_t written = 0;
  std::vector<std::int64_t> labels;    ///< of the current split
  std::vector<std::uint8_t> gathered;  ///< samples of the incomplete chunk

  [[nodiscard]] std::string group() const { return "/" + splits.back(); }

  void end_split() {
    if (splits.empty()) return;
    if (written != samples)
      throw std::logic_error(fmt::format("split {} got {} of {} samples", splits.back(), written, samples));
    flush();
    file.write<std::int64_t>(group() + data::names::kLabels, {samples}, labels,
                             {.chunk_rows = kLabelsPerChunk, .fletcher32 = true});
    labels.clear();
  }

  void keep_label(std::int64_t label) {
    if (label < 0 || label >= static_cast<std::int64_t>(header.class_names.size()))
      throw std::logic_error(fmt::format("label {} is out of range", label));
    labels.push_back(label);
    ++written;
  }

  void require_room(std::size_t count) const {
    if (written + static_cast<std::int64_t>(count) > samples)
      throw std::logic_error("append to split " + splits.back() + " does not fit");
  }

  void tell() const {
    if (observer != nullptr) observer->on_progress(splits.back(), written, samples);
    stop_if_asked(observer, target);
  }

  // Writes only whole chunks, so that no chunk is compressed twice.
  void flush() {
    if (gathered.empty()) return;
    const auto n = static_cast<std::int64_t>(gathered.size()) / header.shape.size();
    file.write_rows<std::uint8_t>(group() + data::names::kImages, {written - n, written}, gathered);
    gathered.clear();
  }
};

DatasetWriter::DatasetWriter(const std::string& target, DatasetHeader header, Observer* observer) {
  io::sweep_temporaries(io::folder_of(target), io::name_of(target), io::Sweep::kDeadOnThisHost);
  impl_ = std::make_unique<Impl>(target, std::move(header), observer);
  io::File& file = impl_->file;
  file.set_attribute("/", data::names::kFormat, data::names::kFormatValue);
  file.set_attribute("/", data::names::kFormatVersion, data::names::kFormatVersionValue);
  file.set_attribute("/", data::names::kSource, std::string_view(impl_->header.source));
  if (!impl_->header.class_names.empty())
    file.set_attribute("/", data::names::kClassNames, impl_->header.class_names);
}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::begin_split(const std::string& name, std::int64_t samples) {
  impl_->end_split();
  impl_->splits.push_back(name);
  impl_->samples = samples;
  impl_->written = 0;
  const Shape& shape = impl_->header.shape;
  impl_->file.create_dataset<std::uint8_t>(impl_->group() + data::names::kImages,
                                           {samples, shape.c, shape.h, shape.w}, storage_of(shape, samples));
}

void DatasetWriter::append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels) {
  const auto size = static_cast<std::size_t>(impl_->header.shape.size());
  const auto flush_bytes =
      static_cast<std::size_t>(64 * samples_per_chunk(impl_->header.shape, impl_->samples)) * size;
  if (images.size() != labels.size() * size) throw std::logic_error("images and labels differ in number");
  impl_->require_room(labels.size());
  if (impl_->splits.back() == data::names::kTrain) impl_->train.add(images);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    impl_->keep_label(labels[i]);
    const auto image = images.subspan(i * size, size);
    impl_->gathered.insert(impl_->gathered.end(), image.begin(), image.end());
    if (impl_->gathered.size() >= flush_bytes) impl_->flush();
  }
  impl_->tell();
}

void DatasetWriter::append(const FinishedChunk& chunk, std::span<const std::int64_t> labels) {
  const std::int64_t most = samples_per_chunk(impl_->header.shape, impl_->samples);
  const auto count = static_cast<std::int64_t>(labels.size());
  impl_->require_room(labels.size());
  if (impl_->written % most != 0 || count != std::min(most, impl_->samples - impl_->written))
    throw std::logic_error("append to split " + impl_->splits.back() + " is no whole chunk");
  impl_->file.write_chunk(impl_->group() + data::names::kImages, impl_->written, chunk.bytes);
  if (impl_->splits.back() == data::names::kTrain) impl_->train.add_numbers(chunk.sums);
  for (const std::int64_t label : labels) impl_->keep_label(label);
  impl_->tell();
}

void DatasetWriter::finish() {
  impl_->end_split();
  const data::Statistics statistics = impl_->train.statistics();
  for (const std::string& split : impl_->splits) {
    impl_->file.set_attribute("/" + split + data::names::kImages, data::names::kMean, statistics.mean);
    impl_->file.set_attribute("/" + split + data::names::kImages, data::names::kStd, statistics.std);
  }
  impl_->file.close();
  impl_->pending.commit([&] { stop_if_asked(impl_->observer, impl_->target); });
}

}  // namespace convoy::importers
