#include "convoy/dataset_file/dataset_writer.hpp"

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

/// Samples of an incomplete chunk, and the sums over those of the training split.
template <class Pixel, class Sums>
struct Gathered {
  explicit Gathered(const Shape& shape) : train(shape) {}
  std::vector<Pixel> pixels;
  Sums train;
};

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
        bytes(header.shape),
        floats(header.shape) {}

  comm::Communicator self = comm::Communicator::self();
  Observer* observer;
  std::string target;
  DatasetHeader header;
  io::PendingFile pending;
  io::File file;
  std::vector<std::string> splits;
  std::int64_t samples = 0;  ///< of the current split
  std::int64_t written = 0;
  std::vector<std::int64_t> labels;  ///< of the current split
  Gathered<std::uint8_t, data::ByteSums> bytes;
  Gathered<float, data::FloatSums> floats;

  [[nodiscard]] std::string group() const { return "/" + splits.back(); }

  void end_split() {
    if (splits.empty()) return;
    if (written != samples)
      throw std::logic_error(fmt::format("split {} got {} of {} samples", splits.back(), written, samples));
    flush(bytes);
    flush(floats);
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
  template <class Pixel, class Sums>
  void flush(Gathered<Pixel, Sums>& gathered) {
    if (gathered.pixels.empty()) return;
    const auto n = static_cast<std::int64_t>(gathered.pixels.size()) / header.shape.size();
    file.write_rows<Pixel>(group() + data::names::kImages, {written - n, written}, gathered.pixels);
    gathered.pixels.clear();
  }

  template <class Pixel, class Sums>
  void append(Gathered<Pixel, Sums>& gathered, std::span<const Pixel> images,
              std::span<const std::int64_t> of) {
    const auto size = static_cast<std::size_t>(header.shape.size());
    const auto flush_at = static_cast<std::size_t>(64 * samples_per_chunk(header.shape, samples)) * size;
    if (images.size() != of.size() * size) throw std::logic_error("images and labels differ in number");
    require_room(of.size());
    if (splits.back() == data::names::kTrain) gathered.train.add(images);
    for (std::size_t i = 0; i < of.size(); ++i) {
      keep_label(of[i]);
      const auto image = images.subspan(i * size, size);
      gathered.pixels.insert(gathered.pixels.end(), image.begin(), image.end());
      if (gathered.pixels.size() >= flush_at) flush(gathered);
    }
    tell();
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
  const std::string images = impl_->group() + data::names::kImages;
  const Dims dims{samples, shape.c, shape.h, shape.w};
  if (impl_->header.pixels == Pixels::kBytes)
    impl_->file.create_dataset<std::uint8_t>(images, dims, storage_of(shape, samples));
  else
    impl_->file.create_dataset<float>(images, dims, storage_of(shape, samples));
}

void DatasetWriter::append(std::span<const std::uint8_t> images, std::span<const std::int64_t> labels) {
  impl_->append(impl_->bytes, images, labels);
}

void DatasetWriter::append(std::span<const float> images, std::span<const std::int64_t> labels) {
  impl_->append(impl_->floats, images, labels);
}

void DatasetWriter::append(const FinishedChunk& chunk, std::span<const std::int64_t> labels) {
  const std::int64_t most = samples_per_chunk(impl_->header.shape, impl_->samples);
  const auto count = static_cast<std::int64_t>(labels.size());
  impl_->require_room(labels.size());
  if (impl_->written % most != 0 || count != std::min(most, impl_->samples - impl_->written))
    throw std::logic_error("append to split " + impl_->splits.back() + " is no whole chunk");
  impl_->file.write_chunk(impl_->group() + data::names::kImages, impl_->written, chunk.bytes);
  if (impl_->splits.back() == data::names::kTrain) impl_->bytes.train.add_numbers(chunk.sums);
  for (const std::int64_t label : labels) impl_->keep_label(label);
  impl_->tell();
}

void DatasetWriter::finish() {
  impl_->end_split();
  const data::Statistics statistics = impl_->header.pixels == Pixels::kBytes
                                          ? impl_->bytes.train.statistics()
                                          : impl_->floats.train.statistics();
  for (const std::string& split : impl_->splits) {
    impl_->file.set_attribute("/" + split + data::names::kImages, data::names::kMean, statistics.mean);
    impl_->file.set_attribute("/" + split + data::names::kImages, data::names::kStd, statistics.std);
  }
  impl_->file.close();
  impl_->pending.commit([&] { stop_if_asked(impl_->observer, impl_->target); });
}

}  // namespace convoy::importers
