#include "convoy/hdf5/chunk_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "call.hpp"
#include "fletcher32.hpp"

namespace convoy::io {
namespace {

/// Bytes of all elements in planes, back to elements (HDF5's shuffle).
void unshuffle(std::span<const std::byte> planes, std::size_t element, std::span<std::byte> elements) {
  const std::size_t count = planes.size() / element;
  for (std::size_t b = 0; b < element; ++b)
    for (std::size_t i = 0; i < count; ++i) elements[i * element + b] = planes[b * count + i];
  std::copy(planes.begin() + static_cast<std::ptrdiff_t>(count * element), planes.end(),
            elements.begin() + static_cast<std::ptrdiff_t>(count * element));
}

/// False unless `packed` inflates to exactly `whole`.
bool inflate_to(std::span<const std::byte> packed, std::span<std::byte> whole) {
  auto size = static_cast<uLongf>(whole.size());
  return ::uncompress(reinterpret_cast<Bytef*>(whole.data()), &size,
                      reinterpret_cast<const Bytef*>(packed.data()),
                      static_cast<uLong>(packed.size())) == Z_OK &&
         size == whole.size();
}

/// The checksum at the end of `bytes` is that of the bytes before it.
bool is_sound(std::span<const std::byte> bytes) {
  constexpr std::size_t kSumBytes = 4;
  if (bytes.size() < kSumBytes) return false;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::size_t size = bytes.size() - kSumBytes;
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < kSumBytes; ++i) stored |= std::uint32_t{data[size + i]} << (8 * i);
  return fletcher32({data, size}) == stored;
}

}  // namespace

struct ChunkReader::Impl {
  Place place;
  DatasetHandle dataset;
  std::size_t rank = 0;
  std::int64_t rows = 0;  ///< per chunk
  std::size_t bytes = 0;  ///< of a whole chunk
  std::size_t element = 1;
  std::vector<H5Z_filter_t> filters;  ///< in the order in which they were applied
};

ChunkReader::ChunkReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChunkReader::~ChunkReader() = default;
ChunkReader::ChunkReader(ChunkReader&&) noexcept = default;
ChunkReader& ChunkReader::operator=(ChunkReader&&) noexcept = default;

std::optional<ChunkReader> ChunkReader::open(const File& file, const std::string& dataset, ElementType type) {
  const DatasetInfo info = file.info(dataset);
  if (info.type != type || info.chunk.empty() || info.is_elsewhere || info.chunk.size() != info.dims.size())
    return std::nullopt;
  if (!std::equal(info.dims.begin() + 1, info.dims.end(), info.chunk.begin() + 1)) return std::nullopt;
  auto impl = std::make_unique<Impl>();
  impl->place = file.impl_->place(dataset);
  impl->dataset = file.impl_->open_dataset(dataset);
  const TypeHandle stored(H5Dget_type(impl->dataset.get()), "read the type of", impl->place);
  if (H5Tequal(stored.get(), memory_type(type)) <= 0) return std::nullopt;
  const PropertiesHandle creation(H5Dget_create_plist(impl->dataset.get()), "read the layout of",
                                  impl->place);
  const int filters = H5Pget_nfilters(creation.get());
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    unsigned settings = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &settings);
    if (filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_FLETCHER32)
      return std::nullopt;
    impl->filters.push_back(filter);
  }
  impl->rank = info.dims.size();
  impl->rows = info.chunk.front();
  impl->element = static_cast<std::size_t>(info.element_bytes);
  impl->bytes = static_cast<std::size_t>(count(info.chunk)) * impl->element;
  return ChunkReader(std::move(impl));
}

std::int64_t ChunkReader::rows_per_chunk() const {
  return impl_->rows;
}

std::optional<ChunkReader::Stored> ChunkReader::read(std::int64_t chunk) const {
  std::vector<hsize_t> offset(impl_->rank, 0);
  const std::int64_t first_row = chunk * impl_->rows;
  offset.front() = static_cast<hsize_t>(first_row);
  hsize_t size = 0;
  // Compressed bytes may be a little more than the plain ones; a damaged size is far more.
  const hsize_t most = 2 * static_cast<hsize_t>(impl_->bytes) + 4096;
  if (H5Dget_chunk_storage_size(impl_->dataset.get(), offset.data(), &size) < 0 || size == 0 || size > most) {
    H5Eclear2(H5E_DEFAULT);
    return std::nullopt;
  }
  Stored stored;
  stored.bytes = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size));
  stored.size = static_cast<std::size_t>(size);
  checked(
      H5Dread_chunk(impl_->dataset.get(), H5P_DEFAULT, offset.data(), &stored.skipped, stored.bytes.get()),
      "read", impl_->place);
  return stored;
}

bool ChunkReader::decode(const Stored& stored, std::span<std::byte> rows) const {
  if (rows.size() != impl_->bytes) return false;
  std::span<const std::byte> now{stored.bytes.get(), stored.size};
  std::vector<std::byte> held;
  std::vector<std::byte> next;
  for (std::size_t i = impl_->filters.size(); i-- > 0;) {
    if ((stored.skipped >> i & 1U) != 0) continue;
    if (impl_->filters[i] == H5Z_FILTER_FLETCHER32) {
      if (!is_sound(now)) return false;
      now = now.first(now.size() - 4);
      continue;
    }
    // The last step writes where the rows are wanted. Shuffling does not change single bytes.
    const bool is_last = i == 0 || (i == 1 && impl_->filters[0] == H5Z_FILTER_SHUFFLE && impl_->element == 1);
    if (!is_last) next.resize(impl_->bytes);
    const std::span<std::byte> to = is_last ? rows : std::span(next);
    if (impl_->filters[i] == H5Z_FILTER_DEFLATE) {
      if (!inflate_to(now, to)) return false;
    } else {
      if (now.size() != impl_->bytes) return false;
      unshuffle(now, impl_->element, to);
    }
    if (is_last) return true;
    held.swap(next);
    now = held;
  }
  if (now.size() != rows.size()) return false;
  std::ranges::copy(now, rows.begin());
  return true;
}

}  // namespace convoy::io
