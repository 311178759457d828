#include "convoy/hdf5/row_reader.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "convoy/core/first_failure.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_system.hpp"
#include "filters.hpp"

namespace convoy::io {
namespace {

/// A chunk as stored.
struct StoredChunk {
  Dims at;  ///< of its first element
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;
  std::uint32_t skipped = 0;  ///< bit i: filter i was not applied to this chunk
};

/// What a thread needs to decode chunks.
struct ChunkScratch {
  std::array<Scratch, 2> between;  ///< filters
  Scratch whole;
};

/// Strides of an array of `dims`, in bytes.
std::vector<std::size_t> strides_of(const Dims& dims, std::size_t element) {
  std::vector<std::size_t> strides(dims.size(), element);
  for (std::size_t d = dims.size() - 1; d-- > 0;)
    strides[d] = strides[d + 1] * static_cast<std::size_t>(dims[d + 1]);
  return strides;
}

struct Block {
  Dims extent;
  std::vector<std::size_t> src_strides;
  std::vector<std::size_t> dst_strides;
};

/// Copies dimensions d and above of a block.
void copy(const Block& block, std::size_t d, const std::byte* src, std::byte* dst) {
  const auto extent = static_cast<std::size_t>(block.extent[d]);
  if (d + 1 == block.extent.size()) {
    std::memcpy(dst, src, extent * block.src_strides[d]);
    return;
  }
  for (std::size_t i = 0; i < extent; ++i)
    copy(block, d + 1, src + i * block.src_strides[d], dst + i * block.dst_strides[d]);
}

}  // namespace

struct RowReader::Impl {
  Place place;
  DatasetHandle dataset;
  ElementType type = ElementType::kOther;
  Dims dims;
  Dims chunk;  ///< empty: contiguous
  std::size_t element = 1;
  std::size_t row_bytes = 0;
  // Chunks.
  std::size_t chunk_bytes = 0;
  std::optional<Pipeline> pipeline;
  // Contiguous.
  std::int64_t offset = 0;  ///< in the file

  [[nodiscard]] bool open_chunks(hid_t creation);
  [[nodiscard]] bool open_contiguous();
  [[nodiscard]] std::int64_t chunks_a_band() const;
  [[nodiscard]] Dims chunk_at(std::int64_t index) const;
  [[nodiscard]] StoredChunk fetch(std::int64_t index) const;
  [[nodiscard]] StoredChunk fetch_decoded(const Dims& at) const;
  [[nodiscard]] Range chunks_of(const Range& rows) const;
  void decode(const StoredChunk& stored, const Range& rows, std::span<std::byte> dst,
              ChunkScratch& scratch) const;
  void read_chunks(const Range& rows, std::span<std::byte> dst, int threads) const;
  void read_contiguous(const Range& rows, std::span<std::byte> dst, int threads) const;
};

RowReader::RowReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RowReader::~RowReader() = default;
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader& RowReader::operator=(RowReader&&) noexcept = default;

std::optional<RowReader> RowReader::open(const File& file, const std::string& dataset, ElementType type) {
  const DatasetInfo info = file.info(dataset);
  if (info.type != type || info.dims.empty() || count(info.dims) == 0 || info.is_elsewhere)
    return std::nullopt;
  auto impl = std::make_unique<Impl>();
  impl->place = file.impl_->place(dataset);
  impl->dataset = file.impl_->open_dataset(dataset);
  const TypeHandle stored(H5Dget_type(impl->dataset.get()), "read the type of", impl->place);
  if (H5Tequal(stored.get(), memory_type(type)) <= 0) return std::nullopt;
  impl->type = type;
  impl->dims = info.dims;
  impl->chunk = info.chunk;
  impl->element = static_cast<std::size_t>(info.element_bytes);
  impl->row_bytes = static_cast<std::size_t>(count(info.dims) / info.dims.front()) * impl->element;
  const PropertiesHandle creation(H5Dget_create_plist(impl->dataset.get()), "read the layout of",
                                  impl->place);
  const bool is_linked = !info.other_files.empty();  // libhdf5 alone knows where
  const bool is_open = !info.chunk.empty() ? impl->open_chunks(creation.get())
                       : H5Pget_layout(creation.get()) == H5D_CONTIGUOUS && !is_linked
                           ? impl->open_contiguous()
                           : false;
  if (!is_open) return std::nullopt;
  return RowReader(std::move(impl));
}

bool RowReader::Impl::open_chunks(hid_t creation) {
  unsigned options = 0;
  checked(H5Pget_chunk_opts(creation, &options), "read the layout of", place);
  if ((options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0) return false;
  chunk_bytes = static_cast<std::size_t>(count(chunk)) * element;
  pipeline.emplace(creation, chunk_bytes, place);
  return pipeline->is_ours();
}

bool RowReader::Impl::open_contiguous() {
  const haddr_t address = H5Dget_offset(dataset.get());
  H5Eclear2(H5E_DEFAULT);
  const auto bytes = static_cast<std::uint64_t>(dims.front()) * row_bytes;
  const auto size = static_cast<std::uint64_t>(file_size(place.file));
  // Never written, or damaged: libhdf5 knows what to say.
  if (address == HADDR_UNDEF || address > size || bytes > size - address) return false;
  offset = static_cast<std::int64_t>(address);
  return true;
}

/// Chunks beside each other that hold the same rows.
std::int64_t RowReader::Impl::chunks_a_band() const {
  std::int64_t chunks = 1;
  for (std::size_t d = 1; d < dims.size(); ++d) chunks *= (dims[d] + chunk[d] - 1) / chunk[d];
  return chunks;
}

Range RowReader::Impl::chunks_of(const Range& rows) const {
  const std::int64_t band = chunks_a_band();
  return {rows.begin / chunk[0] * band, (rows.end + chunk[0] - 1) / chunk[0] * band};
}

Dims RowReader::Impl::chunk_at(std::int64_t index) const {
  Dims at(dims.size());
  for (std::size_t d = dims.size(); d-- > 0;) {
    const std::int64_t chunks = d == 0 ? index + 1 : (dims[d] + chunk[d] - 1) / chunk[d];
    at[d] = index % chunks * chunk[d];
    index /= chunks;
  }
  return at;
}

StoredChunk RowReader::Impl::fetch(std::int64_t index) const {
  StoredChunk stored{.at = chunk_at(index), .bytes = {}};
  const std::vector<hsize_t> at = to_hsize(stored.at);
  hsize_t size = 0;
  if (H5Dget_chunk_storage_size(dataset.get(), at.data(), &size) < 0 || size == 0)
    return fetch_decoded(stored.at);
  if (size > most_stored(chunk_bytes)) throw_damaged_chunk(place, stored.at, too_large(size));
  stored.bytes = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size));
  stored.size = static_cast<std::size_t>(size);
  checked(H5Dread_chunk(dataset.get(), H5P_DEFAULT, at.data(), &stored.skipped, stored.bytes.get()), "read",
          place);
  return stored;
}

/// Of a chunk that is not in the file, since it was never written, or is not to be found there: libhdf5 knows
/// the values, or the error.
StoredChunk RowReader::Impl::fetch_decoded(const Dims& at) const {
  StoredChunk stored{.at = at, .bytes = std::make_unique<std::byte[]>(chunk_bytes), .size = chunk_bytes};
  stored.skipped = ~std::uint32_t{0};
  std::vector<hsize_t> extent = to_hsize(chunk);
  const SpaceHandle memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                           "select rows of", place);
  for (std::size_t d = 0; d < extent.size(); ++d)
    extent[d] = static_cast<hsize_t>(std::min(chunk[d], dims[d] - at[d]));
  const SpaceHandle in_file(H5Dget_space(dataset.get()), "read the shape of", place);
  const std::vector<hsize_t> begin = to_hsize(at);
  const std::vector<hsize_t> origin(extent.size(), 0);
  checked(H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, begin.data(), nullptr, extent.data(), nullptr),
          "select rows of", place);
  checked(H5Sselect_hyperslab(memory.get(), H5S_SELECT_SET, origin.data(), nullptr, extent.data(), nullptr),
          "select rows of", place);
  checked(
      H5Dread(dataset.get(), memory_type(type), memory.get(), in_file.get(), H5P_DEFAULT, stored.bytes.get()),
      "read", place);
  return stored;
}

/// Decodes what `stored` holds of `rows`, which are `dst`.
void RowReader::Impl::decode(const StoredChunk& stored, const Range& rows, std::span<std::byte> dst,
                             ChunkScratch& scratch) const {
  const Range band{stored.at[0], stored.at[0] + chunk[0]};
  const Range here{std::max(band.begin, rows.begin), std::min(band.end, rows.end)};
  std::byte* const to = dst.data() + static_cast<std::size_t>(here.begin - rows.begin) * row_bytes;
  const bool has_whole_rows = std::equal(dims.begin() + 1, dims.end(), chunk.begin() + 1);
  const bool is_direct = has_whole_rows && here == band;
  const std::span<std::byte> whole = is_direct ? std::span(to, chunk_bytes) : scratch.whole.of(chunk_bytes);
  const std::string problem =
      pipeline->decode({stored.bytes.get(), stored.size}, stored.skipped, whole, scratch.between);
  if (!problem.empty()) throw_damaged_chunk(place, stored.at, problem);
  if (is_direct) return;
  Block block{chunk, strides_of(chunk, element), strides_of(dims, element)};
  block.extent[0] = here.size();
  std::size_t into = 0;
  for (std::size_t d = 1; d < dims.size(); ++d) {
    block.extent[d] = std::min(chunk[d], dims[d] - stored.at[d]);
    into += static_cast<std::size_t>(stored.at[d]) * block.dst_strides[d];
  }
  const std::byte* from =
      whole.data() + static_cast<std::size_t>(here.begin - band.begin) * block.src_strides[0];
  copy(block, 0, from, to + into);
}

namespace {

/// Chunks that are decoded together, while the next ones are fetched.
struct Batch {
  std::vector<StoredChunk> chunks;
  std::atomic<std::size_t> next{0};     ///< not yet taken by a thread
  std::atomic<bool> has_failed{false};  ///< decoding it, or fetching the one after it
};

}  // namespace

/// The calling thread makes libhdf5's calls, one batch ahead of all threads, which decode.
void RowReader::Impl::read_chunks(const Range& rows, std::span<std::byte> dst, int threads) const {
  constexpr std::size_t kBytesAtOnce = std::size_t{2} << 20;  // so that memory is used again
  const Range chunks = chunks_of(rows);
  const auto at_once = static_cast<std::int64_t>(
      std::max<std::size_t>(kBytesAtOnce / chunk_bytes, static_cast<std::size_t>(threads)));
  std::array<Batch, 2> batches;
  FirstFailure failure;
  const auto fetch_into = [&](Batch& batch, std::int64_t begin) {
    batch.chunks.clear();
    batch.next = 0;
    batch.has_failed = false;
    for (std::int64_t i = begin; i < std::min(begin + at_once, chunks.end); ++i)
      batch.chunks.push_back(fetch(i));
  };
  const auto decode_some = [&](Batch& batch, std::int64_t begin, ChunkScratch& scratch) {
    for (std::size_t i = batch.next++; i < batch.chunks.size(); i = batch.next++)
      if (!failure.attempt(begin + static_cast<std::int64_t>(i),
                           [&] { decode(batch.chunks[i], rows, dst, scratch); }))
        batch.has_failed = true;
  };
  fetch_into(batches[0], chunks.begin);
  on_threads(threads, [&] {
    ChunkScratch scratch;
    std::size_t turn = 0;
    bool goes_on = true;
    for (std::int64_t begin = chunks.begin; begin < chunks.end && goes_on; begin += at_once) {
      Batch& now = batches[turn % 2];
      Batch& after = batches[++turn % 2];
#pragma omp masked
      if (!failure.attempt(begin + at_once, [&] { fetch_into(after, begin + at_once); }))
        now.has_failed = true;
      decode_some(now, begin, scratch);
#pragma omp barrier
      goes_on = !now.has_failed;
    }
  });
  failure.rethrow();
}

void RowReader::Impl::read_contiguous(const Range& rows, std::span<std::byte> dst, int threads) const {
  constexpr std::size_t kBytesAtOnce = std::size_t{1} << 20;
  const Descriptor file(place.file, O_RDONLY, "open");
  const std::int64_t first = offset + rows.begin * static_cast<std::int64_t>(row_bytes);
  const auto pieces = static_cast<std::int64_t>((dst.size() + kBytesAtOnce - 1) / kBytesAtOnce);
  FirstFailure failure;
  const auto read_piece = [&](std::int64_t i) {
    const auto begin = static_cast<std::size_t>(i) * kBytesAtOnce;
    const auto bytes = static_cast<std::int64_t>(std::min(kBytesAtOnce, dst.size() - begin));
    if (file.read(dst.data() + begin, bytes, first + static_cast<std::int64_t>(begin)) != bytes)
      throw DataError(
          fmt::format("{} was cut short while it was read; make it again or copy it again", describe(place)));
  };
  parallel_for(threads, pieces, Shares::kEqual,
               [&](std::int64_t i) { (void)failure.attempt(i, [&] { read_piece(i); }); });
  failure.rethrow();
}

void RowReader::read(const Range& rows, std::span<std::byte> dst, int threads) const {
  if (rows.begin < 0 || rows.end > impl_->dims.front() ||
      dst.size() != static_cast<std::size_t>(rows.size()) * impl_->row_bytes)
    throw std::logic_error(fmt::format("rows [{}, {}) of {} do not fit a buffer of {} bytes", rows.begin,
                                       rows.end, describe(impl_->place), dst.size()));
  if (impl_->chunk.empty()) return impl_->read_contiguous(rows, dst, threads);
  impl_->read_chunks(rows, dst, threads);
}

void RowReader::fetch(const Range& rows) const {
  if (impl_->chunk.empty()) return;
  const Range chunks = impl_->chunks_of(rows);
  for (std::int64_t i = chunks.begin; i < chunks.end; ++i) (void)impl_->fetch(i);
}

}  // namespace convoy::io
