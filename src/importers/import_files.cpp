#include "convoy/importers/import_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/first_failure.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/core/team.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/load_observer.hpp"
#include "convoy/hdf5/chunk.hpp"
#include "convoy/hdf5/commit.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"
#include "convoy/samples/names.hpp"
#include "shared_work.hpp"

namespace convoy::importers {
namespace {

namespace names = data::names;

constexpr int kGzipLevel = 4;
constexpr std::int64_t kAnswersPerChunk = 4096;

io::Storage storage_of(const data::Split& split) {
  // Few images per chunk, so that reading one random sample is cheap also for large images.
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 18;
  const std::int64_t rows = std::clamp<std::int64_t>(kMostBytes / split.image_bytes(), 1, 16);
  return {.chunk_rows = std::min(split.samples(), rows), .gzip_level = kGzipLevel, .fletcher32 = true};
}

/// The file that rank 0 writes.
class Output {
 public:
  Output(const std::string& target, Observer* observer)
      : target_(target),
        observer_(observer),
        pending_(target, self_),
        file_(io::File::create(pending_.path(), self_)) {}

  void write_header(const std::string& source, const std::vector<std::string>& class_names) {
    file_.set_attribute("/", names::kFormat, names::kFormatValue);
    file_.set_attribute("/", names::kFormatVersion, names::kFormatVersionValue);
    file_.set_attribute("/", names::kSource, std::string_view(source));
    if (!class_names.empty()) file_.set_attribute("/", names::kClassNames, class_names);
  }

  void begin(const data::Split& split, const Shape& shape) {
    images_ = "/" + split.name() + names::kImages;
    const Dims dims{split.samples(), shape.c, shape.h, shape.w};
    if (split.is_bytes())
      file_.create_dataset<std::uint8_t>(images_, dims, storage_of(split));
    else
      file_.create_dataset<float>(images_, dims, storage_of(split));
  }

  void append(std::int64_t row, const std::vector<std::uint8_t>& chunk) {
    file_.write_chunk(images_, row, chunk);
  }

  void end(const data::Split& split, const data::InputTransform& transform) {
    file_.set_attribute(images_, names::kMean, transform.mean);
    file_.set_attribute(images_, names::kStd, transform.std);
    const std::string group = "/" + split.name();
    const io::Storage storage{.chunk_rows = kAnswersPerChunk, .fletcher32 = true};
    if (split.target_size() == 0)
      file_.write<std::int64_t>(group + names::kLabels, {split.samples()}, split.labels(), storage);
    else
      file_.write<float>(group + names::kTargets, {split.samples(), split.target_size()}, split.targets(),
                         storage);
  }

  void commit() {
    file_.close();
    pending_.commit([&] { stop_if_asked(observer_, target_); });
  }

 private:
  std::string target_;
  Observer* observer_;
  comm::Communicator self_ = comm::Communicator::self();
  io::PendingFile pending_;
  io::File file_;
  std::string images_;  ///< of the current split
};

data::Options to_read(data::Options options) {
  options.cache = data::Cache::kNone;  // each image is read once
  options.normalize = data::Normalize::kDataset;
  options.augment = {};
  return options;
}

/// Names for the classes of the new file; empty: labels are all that is known of them.
std::vector<std::string> class_names_of(const data::Dataset& dataset, const data::Options& options) {
  std::vector<std::string> texts = dataset.class_names();
  if (!texts.empty() || dataset.has_targets()) return texts;
  for (const std::int64_t value : dataset.label_values()) texts.push_back(std::to_string(value));
  // Labels alone would not say that there are more classes than occur.
  if (texts.empty() && options.classes > 0)
    for (std::int64_t label = 0; label < dataset.classes(); ++label) texts.push_back(std::to_string(label));
  return texts;
}

/// Opens the files for the observer of an import.
class Opening final : public data::LoadObserver {
 public:
  Opening(Observer* observer, const comm::Communicator& world, const std::string& target)
      : observer_(observer), is_heard_(observer != nullptr && world.is_root()), target_(target) {}

  void on_progress(std::string_view what, std::int64_t done, std::int64_t total) override {
    if (is_heard_) observer_->on_reading(what, done, total);
  }
  void check_stop() const override { stop_if_asked(observer_, target_); }

 private:
  Observer* observer_;
  bool is_heard_;
  const std::string& target_;
};

class FilesImport {
 public:
  FilesImport(const FilesOptions& options, const comm::Communicator& world, Observer* observer)
      : options_(options),
        world_(world),
        observer_(observer),
        opening_(observer, world, options.out),
        dataset_(to_read(options.data), world, {names::kTrain, names::kTest, names::kValidation}, &opening_) {
  }

  FilesReport run() {
    std::optional<Output> output;
    io::agreed_at_root(world_, [&] {
      output.emplace(options_.out, observer_);
      output->write_header("HDF5 files " + options_.data.file + ", " + options_.data.train.images,
                           class_names_of(dataset_, options_.data));
    });
    FilesReport report{.shape = dataset_.shape(),
                       .stored = {},
                       .of = dataset_.storage(),
                       .classes = dataset_.classes(),
                       .splits = {},
                       .warnings = dataset_.warnings()};
    for (const char* name : {names::kTrain, names::kTest, names::kValidation}) {
      const data::Split* split = dataset_.split(name);
      if (split == nullptr) continue;
      write(*split, output);
      report.stored = split->is_bytes() ? "uint8" : "float32";
      report.target_size = split->target_size();
      report.splits.emplace_back(name, split->samples());
    }
    io::agreed_at_root(world_, [&] { output->commit(); });
    return report;
  }

 private:
  void write(const data::Split& split, std::optional<Output>& output) const {
    io::agreed_at_root(world_, [&] { output->begin(split, dataset_.shape()); });
    const std::int64_t a_chunk = storage_of(split).chunk_rows;
    const std::int64_t a_block = a_chunk * chunks_per_rank(split, a_chunk) * world_.size();
    for (std::int64_t begin = 0; begin < split.samples(); begin += a_block) {
      const std::int64_t end = std::min(begin + a_block, split.samples());
      const Range mine = convoy::split((end - begin + a_chunk - 1) / a_chunk, world_.size(), world_.rank());
      const Range images{std::min(begin + mine.begin * a_chunk, end),
                         std::min(begin + mine.end * a_chunk, end)};
      std::vector<std::vector<std::uint8_t>> chunks;
      io::agreed(world_, [&] {
        stop_if_asked(observer_, options_.out);
        chunks = compressed(split, images);
      });
      hand_over(chunks, begin, a_chunk, output);
      if (observer_ != nullptr && world_.is_root())
        observer_->on_progress(split.name(), end, split.samples());
    }
    const data::InputTransform transform = dataset_.transform(data::Normalize::kDataset);
    io::agreed_at_root(world_, [&] { output->end(split, transform); });
  }

  /// Chunks of a rank in a block, limited by memory. The same on every rank, whatever its threads.
  [[nodiscard]] static std::int64_t chunks_per_rank(const data::Split& split, std::int64_t a_chunk) {
    constexpr std::int64_t kBlockBytes = std::int64_t{1} << 26;
    return std::max<std::int64_t>(1, kBlockBytes / (a_chunk * split.image_bytes()));
  }

  /// This rank's chunks of `images`, as they are stored.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> compressed(const data::Split& split,
                                                                  const Range& images) const {
    const io::Storage storage = storage_of(split);
    const auto chunk_bytes = static_cast<std::size_t>(storage.chunk_rows * split.image_bytes());
    const std::size_t element = split.is_bytes() ? 1 : sizeof(float);
    const auto count = (images.size() + storage.chunk_rows - 1) / storage.chunk_rows;
    // The last chunk is padded with zeros.
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * chunk_bytes);
    split.read_plain(images,
                     std::as_writable_bytes(std::span(pixels))
                         .first(static_cast<std::size_t>(images.size() * split.image_bytes())),
                     options_.threads);
    std::vector<std::vector<std::uint8_t>> chunks(static_cast<std::size_t>(count));
    FirstFailure failure;  // memory
    parallel_for(options_.threads, count, Shares::kInTurn, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      (void)failure.attempt(i, [&] {
        chunks[at] =
            io::filter_chunk(std::span(pixels).subspan(at * chunk_bytes, chunk_bytes), storage, element);
      });
    });
    failure.rethrow();
    return chunks;
  }

  /// Rank 0 writes every rank's chunks of the block that starts at image `next`.
  void hand_over(const std::vector<std::vector<std::uint8_t>>& mine, std::int64_t next, std::int64_t a_chunk,
                 std::optional<Output>& output) const {
    comm::Packer packer;
    for (const auto& chunk : mine) packer.put(chunk);
    hand_to_first(world_, packer.message(), [&](comm::Unpacker& from) {
      output->append(next, from.get_vector<std::uint8_t>());
      next += a_chunk;
    });
  }

  const FilesOptions& options_;
  const comm::Communicator& world_;
  Observer* observer_;
  Opening opening_;
  data::Dataset dataset_;
};

}  // namespace

FilesReport import_files(const FilesOptions& options, const comm::Communicator& world, Observer* observer) {
  // Before the work: an output that cannot be written, or that is one of the inputs.
  io::agreed_at_root(world, [&] {
    for (const std::string& file : data::files_of(options.data))
      if (std::error_code none; std::filesystem::equivalent(file, options.out, none))
        throw ConfigError(
            fmt::format("--out {} is one of the files that are read; name another", options.out));
    io::sweep_temporaries(io::folder_of(options.out), io::name_of(options.out), io::Sweep::kDeadOnThisHost);
    io::PendingFile(options.out, comm::Communicator::self());
  });
  return FilesImport(options, world, observer).run();
}

}  // namespace convoy::importers
