#include "convoy/data/dataset.hpp"

#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <map>
#include <memory>

#include "convoy/comm/agreement.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/augment.hpp"
#include "convoy/data/keeping.hpp"
#include "convoy/data/memory_split.hpp"
#include "convoy/data/statistics.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"
#include "convoy/samples/names.hpp"
#include "digest.hpp"
#include "images.hpp"
#include "split.hpp"

namespace convoy::data {
namespace {

constexpr double kByteScale = 1.0 / 255;

PixelType pixel_type(const SplitLayout& split) {
  return is_bytes(split) ? PixelType::kUint8 : PixelType::kFloat32;
}

std::string describe_storage(const std::vector<std::string>& files, const SplitLayout& split) {
  std::string text = std::string(io::element_name(split.type)) + ' ' +
                     std::string(axes_names()[static_cast<std::size_t>(split.axes)]);
  if (files.size() > 1) text += " in " + counted(static_cast<std::int64_t>(files.size()), "file");
  return text;
}

}  // namespace

struct Dataset::Impl {
  DatasetLayout layout;
  std::string digest;
  std::string storage;
  std::map<std::string, Split> splits;
  std::map<std::string, io::FileState> states;  ///< of all files, before reading
  bool bytes = true;                            ///< pixels are uint8
  PixelFunction function = PixelFunction::kNone;

  // Collective over `world`. For the images of the named splits; equal on every rank.
  Keeping keeping(const Options& options, const std::vector<std::string>& names,
                  const comm::Communicator& world, const comm::Communicator& node) {
    const std::int64_t needed = bytes_in_memory(layout, names);
    const NodeMemory memory;
    const Keeping mine = choose_keeping(options.cache, needed, node.size(), memory);
    if (options.cache != Cache::kAuto) return mine;
    const bool is_unshareable = mine != Keeping::kOncePerNode &&
                                choose_keeping(options.cache, needed, 1, memory) == Keeping::kOncePerNode;
    const std::vector<Keeping> all = world.all_gather_values(std::vector{mine});
    const Keeping chosen = *std::ranges::max_element(all);
    if (is_unshareable)
      layout.warnings.push_back(
          fmt::format("/dev/shm of {} has {} left, too little for the images ({}): {}; a larger one (docker "
                      "--shm-size) would "
                      "hold them once for all ranks",
                      comm::host_name(), in_bytes(memory.shared), in_bytes(needed),
                      chosen == Keeping::kOncePerRank ? "each rank keeps its own copy"
                                                      : "they are read while they are trained"));
    return chosen;
  }

  // Collective over `world`. Reads one split. If its images are kept, each rank reads its rows into memory
  // shared by the node.
  Split read(const SplitLayout& split, Keeping keeping, const comm::Communicator& world,
             const comm::Communicator& node, LoadObserver* observer) {
    auto impl = std::make_unique<Split::Impl>(Split::Impl{.name = split.name,
                                                          .shape = layout.shape,
                                                          .type = pixel_type(split),
                                                          .samples = split.samples,
                                                          .target_size = split.target_size});
    const std::int64_t size = impl->image_bytes();
    impl->unit_ends = unit_ends(split, size);
    if (split.has_answers()) read_answers(split, *impl, world, node);
    if (keeping == Keeping::kInFiles) {
      impl->layout = split;
      impl->layout.labels = {};
      impl->states = states;
      impl->other_files = layout.other_files;
      return Split(std::move(impl));
    }
    const comm::Communicator& sharers = keeping == Keeping::kOncePerRank ? comm::Communicator::self() : node;
    impl->images = std::make_shared<comm::NodeSharedMemory>(sharers, split.samples * size);
    const Range rows = share_of_rows(split, sharers.size(), sharers.rank());
    impl->image_checksums = std::make_unique<SampleChecksums>(sharers, split.samples);
    io::agreed(world, [&] { read_images_of(split, rows, *impl, observer); });
    impl->images->fence();
    impl->image_checksums->fence();
    return Split(std::move(impl));
  }

  // Reads the images of samples `rows`, some at a time, into `impl`, with their checksums.
  void read_images_of(const SplitLayout& split, const Range& rows, const Split::Impl& impl,
                      LoadObserver* observer) const {
    constexpr std::int64_t kBytesAtOnce = std::int64_t{16} << 20;  // a fraction of a second from any disk
    const std::int64_t size = impl.image_bytes();
    const std::string what = split.name + " images";
    LoadProgress progress(observer, what, rows.size() * size);
    progress.add(0);  // also of ranks that have nothing to read
    ImageReader reader(split, layout.shape, omp_get_max_threads());
    for (Range part{rows.begin, rows.begin}; part.begin < rows.end; part.begin = part.end) {
      const auto enough = std::ranges::lower_bound(
          impl.unit_ends, part.begin + std::max<std::int64_t>(kBytesAtOnce / size, 1));
      part.end = enough == impl.unit_ends.end() ? rows.end : std::min(*enough, rows.end);
      const std::span<std::byte> images = impl.images->bytes().subspan(
          static_cast<std::size_t>(part.begin * size), static_cast<std::size_t>(part.size() * size));
      reader.read(part, images);
      impl.image_checksums->assign(part, images, omp_get_max_threads());
      progress.add(part.size() * size);
    }
  }

  // Collective over `world`. Reads labels or targets, once per node.
  static void read_answers(const SplitLayout& split, Split::Impl& impl, const comm::Communicator& world,
                           const comm::Communicator& node) {
    const std::int64_t size = split.target_size == 0
                                  ? static_cast<std::int64_t>(sizeof(std::int64_t))
                                  : split.target_size * static_cast<std::int64_t>(sizeof(float));
    impl.labels_or_targets = std::make_shared<comm::NodeSharedMemory>(node, split.samples * size);
    if (split.target_size == 0) {
      if (node.is_root()) std::ranges::copy(split.labels, impl.labels_or_targets_as<std::int64_t>().begin());
    } else {
      const Range rows = convoy::split(split.samples, node.size(), node.rank());
      io::agreed(world, [&] {
        read_targets(split, rows,
                     impl.labels_or_targets_as<float>().subspan(
                         static_cast<std::size_t>(rows.begin * split.target_size),
                         static_cast<std::size_t>(rows.size() * split.target_size)));
      });
    }
    impl.labels_or_targets->fence();
    impl.answer_checksums = Split::Impl::checksums_of(*impl.labels_or_targets, split.samples, node);
  }

  // Of a file without statistics: rank 0 takes the training images, which it reads if they are not kept.
  [[nodiscard]] Statistics statistics_of_file(LoadObserver* observer) const {
    const SplitLayout* train = layout.find(names::kTrain);
    const SplitLayout& of = train != nullptr ? *train : layout.splits.front();
    ImagesOfSplit from{.kept = {}, .threads = omp_get_max_threads(), .observer = observer};
    for (const auto& [name, split] : splits)
      if (split.name() == of.name && !split.is_streamed()) from.kept = split.impl_->images->bytes();
    return compute_statistics(of, layout.shape, from);
  }
};

namespace {

// Collective over `world`. One rank computes the statistics; all ranks get the result.
Statistics shared_statistics(const comm::Communicator& world, const std::function<Statistics()>& compute) {
  Statistics found;
  io::agreed_at_root(world, [&] { found = compute(); });
  // Only rank 0 contributes, so the gathered values are rank 0's.
  return {world.all_gather_values<double>(found.mean), world.all_gather_values<double>(found.std)};
}

template <class T>
std::span<const T> numbers_in(const comm::NodeSharedMemory& memory) {
  const std::span<std::byte> bytes = memory.bytes();
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

Statistics statistics_of(const MemorySplit& split) {
  if (split.is_bytes) {
    ByteSums sums(split.shape);
    sums.add(numbers_in<std::uint8_t>(*split.images));
    return sums.statistics();
  }
  FloatSums sums(split.shape);
  sums.add(numbers_in<float>(*split.images));
  return sums.statistics();
}

Digest digest_of(const MemorySplit& split) {
  Hasher hasher;
  hasher.update(fmt::format("{} {} {} {} {}\n", split.samples, to_string(split.shape),
                            split.is_bytes ? "uint8" : "float32", split.classes, split.target_size));
  for (const std::string& name : split.class_names) hasher.update(name + '\n');
  for (const auto& memory : {split.images, split.answers})
    hasher.update(memory->bytes().data(), memory->bytes().size());
  return hasher.digest();
}

}  // namespace

Dataset::Dataset(const MemorySplit& memory, const comm::Communicator& world)
    : impl_(std::make_unique<Impl>()) {
  const comm::Communicator node = world.node();
  impl_->bytes = memory.is_bytes;
  impl_->storage = std::string(memory.is_bytes ? "uint8" : "float32") + " NCHW in memory";
  impl_->layout.shape = memory.shape;
  impl_->layout.classes = memory.target_size > 0 ? memory.target_size : memory.classes;
  impl_->layout.class_names = memory.class_names;
  impl_->layout.splits.push_back(
      {.name = names::kTrain,
       .samples = memory.samples,
       .type = memory.is_bytes ? io::ElementType::kUint8 : io::ElementType::kFloat32,
       .pieces = {},
       .target_size = memory.target_size});
  impl_->layout.statistics = shared_statistics(world, [&] { return statistics_of(memory); });
  if (node.is_root()) impl_->digest = to_hex(digest_of(memory));
  impl_->digest = node.broadcast(impl_->digest);
  auto split = std::make_unique<Split::Impl>(
      Split::Impl{.name = names::kTrain,
                  .shape = memory.shape,
                  .type = memory.is_bytes ? PixelType::kUint8 : PixelType::kFloat32,
                  .samples = memory.samples,
                  .target_size = memory.target_size,
                  .labels_or_targets = memory.answers,
                  .images = memory.images,
                  .unit_ends = {memory.samples}});
  split->answer_checksums = Split::Impl::checksums_of(*memory.answers, memory.samples, node);
  split->image_checksums = Split::Impl::checksums_of(*memory.images, memory.samples, node);
  impl_->splits.emplace(names::kTrain, Split(std::move(split)));
}

Dataset::Dataset(const std::string& file, const comm::Communicator& world,
                 const std::vector<std::string>& splits, ChecksumPolicy policy)
    : Dataset(Options{.file = file, .verify = policy == ChecksumPolicy::kAlways}, world, splits) {}

Dataset::Dataset(const Options& options, const comm::Communicator& world,
                 const std::vector<std::string>& splits, LoadObserver* observer)
    : impl_(std::make_unique<Impl>()) {
  const comm::Communicator node = world.node();
  std::vector<std::string> files;
  Digest mine;
  io::agreed(world, [&] {
    files = files_of(options);
    for (const std::string& file : files) impl_->states.emplace(file, io::file_state(file));
    mine = fingerprint(files);
  });
  // Ranks read parts of a file into shared memory: check first that all see the same file.
  comm::require_agreement(world, "data set " + options.file, mine,
                          "let data.file name the same file on every node");
  io::agreed(world, [&] {
    if (node.is_root()) impl_->digest = check_files(files, options, observer);
  });
  impl_->digest = node.broadcast(impl_->digest);
  io::agreed(world, [&] {
    impl_->layout = read_layout(options);
    require_fits(options.augment, impl_->layout.shape);
    for (const std::string& file : impl_->layout.other_files)
      impl_->states.emplace(file, io::file_state(file));
  });
  if (!impl_->layout.other_files.empty()) {
    io::agreed(world, [&] {
      if (node.is_root())
        impl_->digest = digest_with(impl_->digest, impl_->layout.other_files, options, observer);
    });
    impl_->digest = node.broadcast(impl_->digest);
  }
  const DatasetLayout& layout = impl_->layout;
  impl_->storage = describe_storage(files, layout.splits.front());
  impl_->bytes = is_bytes(layout.splits.front());
  impl_->function = options.function;
  if (std::ranges::any_of(layout.splits,
                          [&](const SplitLayout& split) { return is_bytes(split) != impl_->bytes; }))
    throw DataError(
        "types differ in data set " + options.file +
        " (the images of one split are uint8, of another they are not); they should be the same in every "
        "split");
  const Keeping keeping = impl_->keeping(options, splits, world, node);
  for (const std::string& name : splits) {
    if (const SplitLayout* split = find_first(layout, name))
      impl_->splits.emplace(name, impl_->read(*split, keeping, world, node, observer));
  }
  // Labels are stored once per node, in the Split.
  for (SplitLayout& split : impl_->layout.splits) split.labels = {};
  if (!layout.statistics && layout.splits.front().has_answers())
    impl_->layout.statistics = shared_statistics(world, [&] { return impl_->statistics_of_file(observer); });
}

Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;

const Shape& Dataset::shape() const {
  return impl_->layout.shape;
}
std::int64_t Dataset::classes() const {
  return impl_->layout.classes;
}
bool Dataset::has_targets() const {
  return impl_->layout.splits.front().target_size > 0;
}
const std::string& Dataset::storage() const {
  return impl_->storage;
}
const std::vector<std::string>& Dataset::warnings() const {
  return impl_->layout.warnings;
}
const std::vector<std::string>& Dataset::class_names() const {
  return impl_->layout.class_names;
}
const std::vector<std::int64_t>& Dataset::label_values() const {
  return impl_->layout.label_values;
}
const std::string& Dataset::digest() const {
  return impl_->digest;
}

const Split* Dataset::split(const std::string& name) const {
  const auto found = impl_->splits.find(name);
  return found == impl_->splits.end() ? nullptr : &found->second;
}

InputTransform Dataset::transform(Normalize normalize) const {
  const auto channels = static_cast<std::size_t>(shape().c);
  const bool has_function = impl_->function != PixelFunction::kNone;
  InputTransform transform{.shape = shape(),
                           .scale = impl_->bytes && !has_function ? kByteScale : 1.0,
                           .function = impl_->function,
                           .mean = std::vector<double>(channels, 0.0),
                           .std = std::vector<double>(channels, 1.0)};
  if (normalize == Normalize::kNone) return transform;
  assert(impl_->layout.statistics.has_value());
  transform.mean = impl_->layout.statistics->mean;
  transform.std = impl_->layout.statistics->std;
  // If a channel is constant, return 0 instead of 0/0.
  std::ranges::replace(transform.std, 0.0, 1.0);
  return transform;
}

}  // namespace convoy::data
