#include "convoy/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <fstream>
#include <map>
#include <optional>

#include "convoy/comm/agreement.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/agreement.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/hdf5_file.hpp"
#include "convoy/io/sum.hpp"
#include "dataset_layout.hpp"
#include "names.hpp"
#include "split.hpp"
#include "statistics.hpp"

namespace convoy::data {
namespace {

constexpr double kByteScale = 1.0 / 255;

void require_file(const std::string& path) {
  if (!io::exists(path))
    throw ConfigError("no such file: data set " + path + "; make it with convoy import or convoy synth");
  if (io::is_folder(path)) throw ConfigError("data set " + path + " is a folder; it should be an HDF5 file");
}

// The digest, once the file is known to be there and, where it tells, whole. Run by one rank of a node.
std::string check_file(const std::string& path, SumPolicy policy) {
  constexpr std::int64_t kCheapBytes = std::int64_t{4} << 30;
  io::SumCheck check = io::read_sum(path);
  const bool read_all = policy == SumPolicy::kAlways || io::file_size(path) <= kCheapBytes;
  if (check.state == io::SumState::kAbsent || (check.state == io::SumState::kGood && read_all))
    check = io::check_sum(path);
  if (check.damaged())
    throw DataError("damaged data set " + path + " (" + check.detail + "); make it again or copy it again");
  return to_hex(check.digest);
}

// Rows of the pictures that rank `index` of `size` reads: whole chunks, so that none is decompressed twice.
Range share_of_rows(const SplitLayout& split, int size, int index) {
  const std::int64_t chunks = (split.samples + split.chunk_rows - 1) / split.chunk_rows;
  const Range mine = convoy::split(chunks, size, index);
  return {std::min(mine.begin * split.chunk_rows, split.samples),
          std::min(mine.end * split.chunk_rows, split.samples)};
}

void require_finite(std::span<const float> pixels, const Range& rows, const io::File& file,
                    const SplitLayout& split) {
  const auto wrong = std::ranges::find_if(pixels, [](float x) { return !std::isfinite(x); });
  if (wrong == pixels.end()) return;
  const std::int64_t row_size = static_cast<std::int64_t>(pixels.size()) / rows.size();
  throw DataError("wrong pixel in data set " + file.path() + " (" + split.images() +
                  " holds a NaN or infinity in sample " +
                  std::to_string(rows.begin + (wrong - pixels.begin()) / row_size) +
                  "); pixels should be finite");
}

template <class Pixel>
void read_pictures(const io::File& file, const SplitLayout& split, const Range& rows,
                   std::span<Pixel> pixels) {
  if (rows.size() == 0) return;
  file.read_rows<Pixel>(split.images(), rows, pixels);
  if constexpr (std::same_as<Pixel, float>) require_finite(pixels, rows, file, split);
}

// From the pictures themselves, piece by piece in the order of the file, so that every rank finds the same.
template <class Pixel, class Sums>
Statistics compute_statistics(const io::File& file, const SplitLayout& split, const Shape& shape) {
  constexpr std::int64_t kPieceElements = std::int64_t{1} << 22;
  const std::int64_t piece_rows =
      std::max(split.chunk_rows, kPieceElements / shape.size() / split.chunk_rows * split.chunk_rows);
  std::vector<Pixel> piece;
  Sums sums(shape);
  for (std::int64_t begin = 0; begin < split.samples; begin += piece_rows) {
    const Range rows{begin, std::min(begin + piece_rows, split.samples)};
    piece.resize(static_cast<std::size_t>(rows.size() * shape.size()));
    read_pictures<Pixel>(file, split, rows, piece);
    sums.add(piece);
  }
  return sums.statistics();
}

// Size and first bytes of a file (of ours: its user block, which states the sum of all others).
Digest fingerprint(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::array<char, io::kUserBlockBytes> head{};
  stream.read(head.data(), head.size());
  Hasher hasher;
  hasher.update(std::to_string(io::file_size(path)) + '\n');
  hasher.update(head.data(), static_cast<std::size_t>(stream.gcount()));
  return hasher.digest();
}

}  // namespace

struct Dataset::Impl {
  DatasetLayout layout;
  std::string digest;
  std::map<std::string, Split> splits;
  bool bytes = true;  ///< pixels of the splits are uint8

  // Collective over `world`: the pictures of one split into memory its node shares, each rank its rows.
  Split read(const io::File& file, const SplitLayout& split, const comm::Communicator& world,
             const comm::Communicator& node) {
    const std::int64_t size = layout.shape.size();
    const std::int64_t pixel_bytes = is_bytes(split) ? 1 : static_cast<std::int64_t>(sizeof(float));
    auto impl = std::make_unique<Split::Impl>(
        Split::Impl{.shape = layout.shape,
                    .type = is_bytes(split) ? PixelType::kUint8 : PixelType::kFloat32,
                    .labels = split.labels,
                    .pictures = comm::NodeSharedMemory(node, split.samples * size * pixel_bytes)});
    const Range rows = share_of_rows(split, node.size(), node.rank());
    const std::span<std::byte> mine =
        impl->pictures.bytes().subspan(static_cast<std::size_t>(rows.begin * size * pixel_bytes),
                                       static_cast<std::size_t>(rows.size() * size * pixel_bytes));
    io::agreed(world, [&] {
      if (is_bytes(split))
        read_pictures<std::uint8_t>(file, split, rows,
                                    {reinterpret_cast<std::uint8_t*>(mine.data()), mine.size()});
      else
        read_pictures<float>(file, split, rows,
                             {reinterpret_cast<float*>(mine.data()), mine.size() / sizeof(float)});
    });
    impl->pictures.fence();
    return Split(std::move(impl));
  }

  // Collective over `world`. For a file that has none: one rank reads the training pictures, all get the
  // answer.
  Statistics shared_statistics(const io::File& file, const comm::Communicator& world) const {
    Statistics found;
    io::agreed_at_root(world, [&] {
      const SplitLayout* train = layout.find(names::kTrain);
      const SplitLayout& split = train != nullptr ? *train : layout.splits.front();
      found = is_bytes(split) ? compute_statistics<std::uint8_t, ByteSums>(file, split, layout.shape)
                              : compute_statistics<float, FloatSums>(file, split, layout.shape);
    });
    // Only rank 0 gives numbers, so what is gathered is what rank 0 found.
    return {world.all_gather_values<double>(found.mean), world.all_gather_values<double>(found.std)};
  }
};

Dataset::Dataset(const std::string& file, const comm::Communicator& world,
                 const std::vector<std::string>& splits, SumPolicy policy)
    : impl_(std::make_unique<Impl>()) {
  const comm::Communicator node = world.node();
  Digest mine;
  io::agreed(world, [&] {
    require_file(file);
    mine = fingerprint(file);
  });
  // Ranks of one host read parts of one file into one memory: they must mean the same file before any of them
  // reads.
  comm::require_agreement(world, "data set " + file, mine, "let data.file name the same file on every host");
  io::agreed(world, [&] {
    if (node.is_root()) impl_->digest = check_file(file, policy);
  });
  impl_->digest = node.broadcast(impl_->digest);
  std::optional<io::File> opened;
  io::agreed(world, [&] {
    opened = io::File::open(file);
    impl_->layout = read_layout(*opened);
  });
  const DatasetLayout& layout = impl_->layout;
  impl_->bytes = is_bytes(layout.splits.front());
  if (std::ranges::any_of(layout.splits,
                          [&](const SplitLayout& split) { return is_bytes(split) != impl_->bytes; }))
    throw DataError(
        "types differ in data set " + file +
        " (the images of one split are uint8, of another float32); they should be the same in every split");
  for (const std::string& name : splits) {
    if (const SplitLayout* split = layout.find(name))
      impl_->splits.emplace(name, impl_->read(*opened, *split, world, node));
  }
  if (!layout.statistics) impl_->layout.statistics = impl_->shared_statistics(*opened, world);
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
const std::vector<std::string>& Dataset::class_names() const {
  return impl_->layout.class_names;
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
  InputTransform transform{.shape = shape(),
                           .scale = impl_->bytes ? kByteScale : 1.0,
                           .mean = std::vector<double>(channels, 0.0),
                           .std = std::vector<double>(channels, 1.0)};
  if (normalize == Normalize::kNone) return transform;
  transform.mean = impl_->layout.statistics->mean;
  transform.std = impl_->layout.statistics->std;
  // A channel that never varies has nothing to be scaled: it becomes 0 instead of 0/0.
  std::ranges::replace(transform.std, 0.0, 1.0);
  return transform;
}

}  // namespace convoy::data
