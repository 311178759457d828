// Imports folders of images. All ranks read the headers, which determine the shape. Then, block by block, all
// ranks decode, fit and compress; rank 0 receives the chunks in turn and writes them. A bad image that is
// detected only during decoding shifts all following images: with OnBad::kSkip, the remaining images are
// searched for more bad ones, and the file is written again without them.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <set>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/team.hpp"
#include "convoy/core/text.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "convoy/folders/folder_files.hpp"
#include "convoy/images/image_file.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "shared_work.hpp"

namespace convoy::importers {
namespace {

std::string size_text(const Shape& shape) {
  return fmt::format("{}x{}", shape.h, shape.w);
}

Range shifted(const Range& range, std::int64_t by) {
  return {range.begin + by, range.end + by};
}

std::string packed(const std::vector<FinishedChunk>& chunks) {
  comm::Packer packer;
  for (const FinishedChunk& chunk : chunks) {
    packer.put(chunk.sums);
    packer.put(chunk.bytes);
  }
  return packer.message();
}

FinishedChunk take_chunk(comm::Unpacker& from) {
  FinishedChunk chunk;
  chunk.sums = from.get_vector<std::uint64_t>();
  chunk.bytes = from.get_vector<std::uint8_t>();
  return chunk;
}

class FolderImport {
 public:
  FolderImport(const FolderOptions& options, const comm::Communicator& world, Observer* observer)
      : options_(options), world_(world), observer_(observer), work_(options, world, observer) {
    const std::vector<int> threads = world.all_gather_values(std::vector{options.threads});
    most_threads_ = *std::ranges::max_element(threads);
  }

  FolderReport run() {
    io::agreed_at_root(world_, [&] { files_ = list_images(options_); });
    broadcast(files_, world_);
    if (is_heard())
      for (const std::string& warning : files_.warnings) observer_->on_warning(warning);
    require_classes();
    look_at_headers();
    while (!write()) {
    }
    FolderReport report{.shape = shape_,
                        .class_names = files_.class_names,
                        .splits = {},
                        .left_out = left_out_,
                        .turned = turned_,
                        .hidden = files_.hidden,
                        .passed_over = files_.passed_over};
    for (const FolderSplit& split : files_.splits) report.splits.push_back({split.name, split.samples()});
    return report;
  }

 private:
  [[nodiscard]] bool is_heard() const { return observer_ != nullptr && world_.is_root(); }

  [[nodiscard]] std::string path_of(const FolderSplit& split, std::int64_t file) const {
    return options_.folder + '/' + split.files[static_cast<std::size_t>(file)];
  }

  void require_classes() const {
    if (is_heard() && files_.class_names.size() == 1)
      observer_->on_warning("one class alone (" + files_.class_names.front() +
                            "): there is nothing to tell apart; each class should have a folder of its own");
    const std::vector<std::string> empty = empty_classes(files_);
    if (empty.empty()) return;
    const std::string problem = "no images to train in the folder of class " + join(empty, ", ");
    if (options_.on_bad == OnBad::kStop)
      throw DataError(
          fmt::format("{} (in {}); remove such folders, or keep the classes without images by --on-bad skip",
                      problem, options_.folder));
    if (is_heard()) observer_->on_warning(problem + "; the class is kept");
  }

  void leave_out(FolderSplit& split, const std::vector<Trouble>& bad) {
    if (bad.empty()) return;
    std::set<std::int64_t> numbers;
    for (const Trouble& each : bad) numbers.insert(each.file);
    const std::vector<std::string> empty_before = empty_classes(files_);
    FolderSplit kept{split.name, {}, {}};
    for (std::int64_t i = 0; i < split.samples(); ++i) {
      if (numbers.contains(i)) continue;
      kept.files.push_back(std::move(split.files[static_cast<std::size_t>(i)]));
      kept.labels.push_back(split.labels[static_cast<std::size_t>(i)]);
    }
    split = std::move(kept);
    left_out_ += static_cast<std::int64_t>(numbers.size());
    if (split.files.empty())
      throw DataError(fmt::format("no image is left in split {} of {} (all of them are bad)", split.name,
                                  options_.folder));
    const std::vector<std::string> empty = empty_classes(files_);
    if (is_heard() && empty.size() > empty_before.size())
      observer_->on_warning("no image to train is left of class " + join(empty, ", "));
  }

  void look_at_headers() {
    bool any_colour = false;
    std::string first_path;
    Shape first;
    for (FolderSplit& split : files_.splits) {
      std::vector<Shape> shapes(split.files.size());
      leave_out(split, look_at_headers(split, shapes));
      // The shapes of bad images are zero.
      std::erase_if(shapes, [](const Shape& shape) { return shape.c == 0; });
      for (std::int64_t i = 0; i < split.samples(); ++i) {
        const Shape& shape = shapes[static_cast<std::size_t>(i)];
        any_colour = any_colour || shape.c == 3;
        if (first_path.empty()) {
          first_path = path_of(split, i);
          first = shape;
        }
        if (!options_.size && (shape.h != first.h || shape.w != first.w))
          throw DataError(
              fmt::format("image sizes differ ({} in {}, {} in {}); --size HxW makes them the same",
                          size_text(first), first_path, size_text(shape), path_of(split, i)));
      }
    }
    shape_ = {options_.channels != 0 ? options_.channels : (any_colour ? 3 : 1),
              options_.size ? options_.size->first : first.h,
              options_.size ? options_.size->second : first.w};
  }

  /// Collective. Assigns the shape of every file; zero for bad files. Returns the bad files.
  std::vector<Trouble> look_at_headers(const FolderSplit& split, std::vector<Shape>& shapes) {
    constexpr std::int64_t kFilesARank = 1024;
    const std::int64_t a_block = kFilesARank * world_.size();
    std::vector<Trouble> bad;
    for (std::int64_t begin = 0; begin < split.samples(); begin += a_block) {
      const std::int64_t files = std::min(split.samples() - begin, a_block);
      const Range mine = shifted(convoy::split(files, world_.size(), world_.rank()), begin);
      std::vector<Shape> found(static_cast<std::size_t>(mine.size()), Shape{0, 0, 0});
      std::atomic<std::int64_t> turned{0};
      std::ranges::move(work_.for_each(mine,
                                       [&](std::int64_t file) {
                                         const images::ImageHeader header =
                                             images::read_image_header(path_of(split, file), options_.exif);
                                         found[static_cast<std::size_t>(file - mine.begin)] = header.shape;
                                         if (header.is_turned) ++turned;
                                       }),
                        std::back_inserter(bad));
      std::ranges::copy(world_.all_gather_values(found), shapes.begin() + begin);
      for (const std::int64_t each : world_.all_gather_values(std::vector{turned.load()})) turned_ += each;
      if (is_heard()) observer_->on_progress(split.name + " (headers)", begin + files, split.samples());
    }
    return bad;
  }

  /// Collective. Tries once to write the file. Returns false if bad images were found; these are then left
  /// out.
  bool write() {
    std::optional<DatasetWriter> writer;
    io::agreed_at_root(world_, [&] {
      writer.emplace(options_.out,
                     DatasetHeader{.shape = shape_, .source = source(), .class_names = files_.class_names},
                     observer_);
    });
    bool is_whole = true;
    for (FolderSplit& split : files_.splits) {
      const std::vector<Trouble> bad = write(split, writer, is_whole);
      is_whole = is_whole && bad.empty();
      leave_out(split, bad);
    }
    if (is_whole) io::agreed_at_root(world_, [&] { writer->finish(); });
    return is_whole;
  }

  [[nodiscard]] std::string source() const {
    const std::size_t end = options_.folder.find_last_not_of('/');
    std::string text = "images of folder " + io::name_of(options_.folder.substr(0, end + 1));
    if (options_.size)
      text += std::string(options_.fit == images::Fit::kCrop ? ", cut and" : ",") + " resized to " +
              size_text(shape_);
    return text;
  }

  /// Collective. Writes the split while `is_whole`. After a bad image, only searches for more.
  std::vector<Trouble> write(const FolderSplit& split, std::optional<DatasetWriter>& writer,
                             bool is_whole) const {
    if (is_whole) io::agreed_at_root(world_, [&] { writer->begin_split(split.name, split.samples()); });
    const std::int64_t a_chunk = samples_per_chunk(shape_, split.samples());
    const std::int64_t a_block = a_chunk * chunks_per_rank(a_chunk) * world_.size();
    std::vector<Trouble> bad;
    for (std::int64_t begin = 0; begin < split.samples(); begin += a_block) {
      const std::int64_t end = std::min(begin + a_block, split.samples());
      const std::int64_t chunks = (end - begin + a_chunk - 1) / a_chunk;
      const Range mine = convoy::split(chunks, world_.size(), world_.rank());
      const Range images{std::min(begin + mine.begin * a_chunk, end),
                         std::min(begin + mine.end * a_chunk, end)};
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(images.size() * shape_.size()));
      std::ranges::move(work_.for_each(images,
                                       [&](std::int64_t file) {
                                         std::ranges::copy(
                                             fitted(path_of(split, file)).pixels,
                                             pixels.begin() + (file - images.begin) * shape_.size());
                                       }),
                        std::back_inserter(bad));
      if (is_whole && bad.empty()) {
        hand_over(compressed(pixels, split.samples()), split, begin, writer);
      } else if (is_heard()) {
        observer_->on_progress(split.name + " (searching for more bad images)", end, split.samples());
      }
    }
    return bad;
  }

  /// Chunks per rank in a block: about a second of work for its threads, since progress is reported after
  /// each block; limited by memory.
  [[nodiscard]] std::int64_t chunks_per_rank(std::int64_t samples) const {
    constexpr std::int64_t kImagesAThread = 256;
    constexpr std::int64_t kMostBytes = std::int64_t{1} << 24;
    constexpr std::int64_t kUtmostBytes = std::int64_t{1} << 30;  // limit for one chunk per thread
    const std::int64_t bytes = samples * shape_.size();
    const std::int64_t at_least = std::min(most_threads_, kUtmostBytes / bytes);
    const std::int64_t at_most = std::min(kImagesAThread * most_threads_ / samples, kMostBytes / bytes);
    return std::max({std::int64_t{1}, at_least, at_most});
  }

  [[nodiscard]] images::Image fitted(const std::string& path) const {
    images::Image image = images::read_image(path, options_.exif);
    if (!options_.size && (image.shape.h != shape_.h || image.shape.w != shape_.w))
      throw IoError("image " + path + " changed while it was imported; run the import again");
    return images::fitted(std::move(image), shape_, options_.fit);
  }

  /// Collective. Returns this rank's chunks of a split of `samples` images.
  [[nodiscard]] std::vector<FinishedChunk> compressed(const std::vector<std::uint8_t>& pixels,
                                                      std::int64_t samples) const {
    const auto whole = static_cast<std::size_t>(samples_per_chunk(shape_, samples) * shape_.size());
    std::vector<FinishedChunk> chunks((pixels.size() + whole - 1) / whole);
    (void)work_.for_each({0, static_cast<std::int64_t>(chunks.size())}, [&](std::int64_t number) {
      const auto i = static_cast<std::size_t>(number);
      const auto part = std::span(pixels).subspan(i * whole, std::min(whole, pixels.size() - i * whole));
      chunks[i] = finish_chunk(shape_, samples, part);
    });
    return chunks;
  }

  /// Collective. Rank 0 writes every rank's chunks of the block that starts at image `next`.
  void hand_over(const std::vector<FinishedChunk>& mine, const FolderSplit& split, std::int64_t next,
                 std::optional<DatasetWriter>& writer) const {
    const std::int64_t a_chunk = samples_per_chunk(shape_, split.samples());
    hand_to_first(world_, packed(mine), [&](comm::Unpacker& from) {
      const std::int64_t count = std::min(a_chunk, split.samples() - next);
      writer->append(
          take_chunk(from),
          std::span(split.labels).subspan(static_cast<std::size_t>(next), static_cast<std::size_t>(count)));
      next += count;
    });
  }

  const FolderOptions& options_;
  const comm::Communicator& world_;
  Observer* observer_;
  SharedWork work_;
  std::int64_t most_threads_ = 1;
  FolderFiles files_;
  Shape shape_;
  std::int64_t turned_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace

FolderReport import_folder(const FolderOptions& options, const comm::Communicator& world,
                           Observer* observer) {
  return FolderImport(options, world, observer).run();
}

}  // namespace convoy::importers
