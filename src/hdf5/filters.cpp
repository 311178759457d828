#include "filters.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "convoy/codecs/fletcher32.hpp"
#include "convoy/core/text.hpp"

namespace convoy::io {
namespace {

/// A filter that HDF5 or its registry knows.
struct Known {
  H5Z_filter_t id;
  const char* name;
  Decoder decode = nullptr;       ///< Convoy's; null: it has none, or the build lacks the library
  DecodedSize size = nullptr;     ///< null: its streams state none
  const char* library = nullptr;  ///< that a build needs for `decode`, and its packages
};

constexpr H5Z_filter_t kBitshuffle = 32008;
constexpr const char* kBuildLacks = "this build of Convoy has no ";
constexpr std::size_t kSumBytes = 4;       // of Fletcher-32
constexpr std::size_t kMostSumBytes = 64;  // of all checksums that were applied before the compressor

// github.com/HDFGroup/hdf5_plugins, docs/RegisteredFilterPlugins.md
const std::array<Known, 20>& known_filters() {
  static const std::array<Known, 20> table{{
      {H5Z_FILTER_DEFLATE, "gzip", decode_gzip},
      {H5Z_FILTER_SHUFFLE, "shuffle"},
      {H5Z_FILTER_FLETCHER32, "fletcher32"},
      {H5Z_FILTER_SZIP, "szip"},
      {H5Z_FILTER_NBIT, "nbit"},
      {H5Z_FILTER_SCALEOFFSET, "scale-offset"},
      {305, "lzo"},
      {307, "bzip2", kDecodeBzip2, nullptr, "libbz2 (Debian: libbz2-dev; Spack: bzip2)"},
      {32000, "lzf", decode_lzf, lzf_size},
      {32001, "blosc", kDecodeBlosc, blosc_size, "libblosc (Debian: libblosc-dev; Spack: c-blosc)"},
      {32004, "lz4", kDecodeLz4, lz4_size, "liblz4 (Debian: liblz4-dev; Spack: lz4)"},
      {kBitshuffle, "bitshuffle", decode_bitshuffle, bitshuffle_size},
      {32013, "zfp"},
      {32015, "zstd", kDecodeZstd, zstd_size, "libzstd (Debian: libzstd-dev; Spack: zstd)"},
      {32017, "sz"},
      {32018, "fcidecomp"},
      {32019, "jpeg"},
      {32024, "sz3"},
      {32026, "blosc2"},
      {32027, "flac"},
  }};
  return table;
}

const Known* find_known(H5Z_filter_t id) {
  const auto found = std::ranges::find(known_filters(), id, &Known::id);
  return found == known_filters().end() ? nullptr : &*found;
}

/// Those that keep a chunk's size, up to a checksum.
bool is_plain(H5Z_filter_t id) {
  return id == H5Z_FILTER_SHUFFLE || id == H5Z_FILTER_FLETCHER32;
}

std::string name_of(H5Z_filter_t id) {
  const Known* known = find_known(id);
  return known != nullptr ? known->name : fmt::format("filter {}", id);
}

/// What of `step` this build lacks; empty: nothing.
std::string lacking(H5Z_filter_t id, Settings settings) {
  constexpr std::size_t kCompressor = 4;
  const Known* known = find_known(id);
  if (known == nullptr) return "Convoy does not know it";
  if (id == kBitshuffle && settings.size() > kCompressor) {
    for (const auto& [compressor, other, has] : {std::tuple{2U, 32004, has_lz4()}, {3U, 32015, has_zstd()}})
      if (settings[kCompressor] == compressor && !has)
        return std::string(kBuildLacks) + find_known(other)->library;
  }
  if (is_plain(id) || known->decode != nullptr) return {};
  return known->library != nullptr ? std::string(kBuildLacks) + known->library : "Convoy does not decode it";
}

struct Stored {
  H5Z_filter_t id = 0;
  unsigned flags = 0;
  std::vector<unsigned> settings;
  std::string name;  ///< in the file; often empty
};

Stored stored_filter(hid_t creation, int index, const Place& place) {
  // More than any filter has: a damaged count must not be allocated.
  std::array<unsigned, 64> settings{};
  std::array<char, 64> name{};
  std::size_t count = settings.size();
  unsigned traits = 0;
  Stored filter;
  filter.id = checked(H5Pget_filter2(creation, static_cast<unsigned>(index), &filter.flags, &count,
                                     settings.data(), name.size() - 1, name.data(), &traits),
                      "read the filters of", place);
  filter.settings.assign(settings.begin(), settings.begin() + std::min(count, settings.size()));
  filter.name = name.data();
  return filter;
}

std::vector<Stored> stored_filters(hid_t creation, const Place& place) {
  std::vector<Stored> filters;
  if (H5Pget_layout(creation) != H5D_CHUNKED) return filters;
  const int count = checked(H5Pget_nfilters(creation), "read the filters of", place);
  for (int i = 0; i < count; ++i) filters.push_back(stored_filter(creation, i, place));
  return filters;
}

template <std::size_t kElement>
void unshuffle_elements(Bytes planes, std::size_t count, std::byte* elements) {
  std::array<const std::byte*, kElement> from;
  for (std::size_t b = 0; b < kElement; ++b) from[b] = planes.data() + b * count;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t b = 0; b < kElement; ++b) elements[i * kElement + b] = from[b][i];
}

/// Bytes of all elements in planes, back to elements (HDF5's shuffle). Bytes beyond the last whole element
/// stay.
void unshuffle(Bytes planes, std::size_t element, std::span<std::byte> elements) {
  const std::size_t count = element == 0 ? 0 : planes.size() / element;
  switch (element) {
    case 2:
      unshuffle_elements<2>(planes, count, elements.data());
      break;
    case 4:
      unshuffle_elements<4>(planes, count, elements.data());
      break;
    case 8:
      unshuffle_elements<8>(planes, count, elements.data());
      break;
    default:
      for (std::size_t b = 0; b < element; ++b)
        for (std::size_t i = 0; i < count; ++i) elements[i * element + b] = planes[b * count + i];
  }
  std::ranges::copy(planes.subspan(count * element), elements.begin() + count * element);
}

/// The checksum at the end of `bytes` is that of the bytes before it.
bool is_sound(Bytes bytes) {
  if (bytes.size() < kSumBytes) return false;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::size_t size = bytes.size() - kSumBytes;
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < kSumBytes; ++i) stored |= std::uint32_t{data[size + i]} << (8 * i);
  return fletcher32({data, size}) == stored;
}

thread_local std::size_t decoding_limit = 0;

// H5Z_func_t: HDF5's buffer `*buffer` of `*size` bytes becomes the decoded one; returns its size, 0: failed.
template <H5Z_filter_t kId>
std::size_t decode_in_libhdf5(unsigned flags, std::size_t settings, const unsigned values[],
                              std::size_t bytes, std::size_t* size, void** buffer) {
  const Known* known = find_known(kId);
  if ((flags & H5Z_FLAG_REVERSE) == 0 || decoding_limit == 0) return 0;
  const Bytes packed{static_cast<const std::byte*>(*buffer), bytes};
  const auto stated = known->size != nullptr ? known->size(packed, {values, settings}) : std::nullopt;
  // A stream that states no size has a chunk's, or this and some checksums'.
  std::size_t whole = stated.value_or(decoding_limit - kMostSumBytes);
  if (whole == 0 || whole > decoding_limit) return 0;
  void* out = std::malloc(stated.value_or(decoding_limit));  // libhdf5 frees it
  if (out == nullptr) return 0;
  bool is_sound = false;
  try {
    do {
      is_sound = known->decode(packed, {values, settings}, {static_cast<std::byte*>(out), whole});
    } while (!is_sound && !stated && (whole += kSumBytes) <= decoding_limit);
  } catch (const std::exception&) {
    is_sound = false;  // no memory; C code does not pass exceptions on
  }
  if (is_sound) {
    std::swap(*buffer, out);
    *size = whole;
  }
  std::free(out);
  return is_sound ? whole : 0;
}

template <H5Z_filter_t... kIds>
void register_decoders() {
  const auto add = [](H5Z_filter_t id, H5Z_func_t function) {
    const Known* known = find_known(id);
    if (known->decode == nullptr) return;
    const H5Z_class2_t filter{H5Z_CLASS_T_VERS, id, 0, 1, known->name, nullptr, nullptr, function};
    H5Zregister(&filter);
  };
  (add(kIds, decode_in_libhdf5<kIds>), ...);
}

}  // namespace

Pipeline::Pipeline(hid_t creation, std::size_t chunk_bytes, const Place& place) : chunk_bytes_(chunk_bytes) {
  for (Stored& each : stored_filters(creation, place)) steps_.push_back({each.id, std::move(each.settings)});
}

bool Pipeline::is_ours() const {
  const auto compresses = [](const Step& step) { return !is_plain(step.id); };
  return std::ranges::all_of(steps_,
                             [](const Step& step) { return lacking(step.id, step.settings).empty(); }) &&
         std::ranges::count_if(steps_, compresses) <= 1;
}

std::string Pipeline::decode(Bytes stored, std::uint32_t skipped, std::span<std::byte> chunk,
                             std::array<Scratch, 2>& scratch) const {
  const auto is_skipped = [&](std::size_t i) { return (skipped >> i & 1U) != 0; };
  // The size before step i was applied: a checksum applied earlier adds to the chunk's.
  const auto size_before = [&](std::size_t i) {
    std::size_t size = chunk_bytes_;
    for (std::size_t j = 0; j < i; ++j)
      if (steps_[j].id == H5Z_FILTER_FLETCHER32 && !is_skipped(j)) size += kSumBytes;
    return size;
  };
  const auto is_nothing = [&](std::size_t i) {
    const Step& step = steps_[i];
    return is_skipped(i) ||
           (step.id == H5Z_FILTER_SHUFFLE && (step.settings.empty() || step.settings[0] <= 1));
  };
  Bytes now = stored;
  std::size_t turn = 0;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    if (is_nothing(i)) continue;
    const Step& step = steps_[i];
    if (step.id == H5Z_FILTER_FLETCHER32) {
      if (!is_sound(now)) return "its Fletcher-32 checksum does not match";
      now = now.first(now.size() - kSumBytes);
      continue;
    }
    // The last step writes where the rows are wanted.
    bool is_last = true;
    for (std::size_t j = 0; j < i; ++j) is_last = is_last && is_nothing(j);
    const std::span<std::byte> to = is_last ? chunk : scratch[turn++ % 2].of(size_before(i));
    if (step.id == H5Z_FILTER_SHUFFLE) {
      if (now.size() != to.size())
        return fmt::format("it has {} bytes instead of {}", grouped(static_cast<std::int64_t>(now.size())),
                           grouped(static_cast<std::int64_t>(to.size())));
      unshuffle(now, step.settings[0], to);
    } else if (!find_known(step.id)->decode(now, step.settings, to)) {
      return fmt::format("its {} data are damaged", name_of(step.id));
    }
    if (is_last) return {};
    now = to;
  }
  if (now.size() != chunk.size())
    return fmt::format("it has {} bytes instead of {}", grouped(static_cast<std::int64_t>(now.size())),
                       grouped(static_cast<std::int64_t>(chunk.size())));
  std::ranges::copy(now, chunk.begin());
  return {};
}

std::vector<Filter> filters_of(hid_t creation, const Place& place) {
  std::vector<Filter> filters;
  for (const Stored& stored : stored_filters(creation, place)) {
    Filter& filter = filters.emplace_back();
    filter.id = stored.id;
    const Known* known = find_known(stored.id);
    filter.name = known != nullptr ? known->name : stored.name;
    filter.is_optional = (stored.flags & H5Z_FLAG_OPTIONAL) != 0;
    filter.lacking = lacking(stored.id, stored.settings);
    // libhdf5 may have it, or a plugin that it finds.
    if (!filter.lacking.empty() && H5Zfilter_avail(stored.id) > 0) filter.lacking = {};
    H5Eclear2(H5E_DEFAULT);
  }
  return filters;
}

std::string hdf5_compressors() {
  std::vector<std::string> names;
  for (const Known& known : known_filters())
    if (known.decode != nullptr) names.emplace_back(known.name);
  names.front() += fmt::format(" ({})", gzip_library());
  return join(names, ", ");
}

void register_filters() {
  register_decoders<305, 307, 32000, 32001, 32004, kBitshuffle, 32015>();
}

DecodingLimit::DecodingLimit(std::size_t bytes) {
  decoding_limit = bytes + kMostSumBytes;
}

DecodingLimit::~DecodingLimit() {
  decoding_limit = 0;
}

std::size_t chunk_bytes_of(hid_t dataset, const Place& place) {
  const PropertiesHandle creation(H5Dget_create_plist(dataset), "read the layout of", place);
  if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return 0;
  const TypeHandle type(H5Dget_type(dataset), "read the type of", place);
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank =
      checked(H5Pget_chunk(creation.get(), H5S_MAX_RANK, extents.data()), "read the layout of", place);
  std::size_t bytes = H5Tget_size(type.get());
  for (int i = 0; i < rank; ++i)
    if (__builtin_mul_overflow(bytes, extents.at(static_cast<std::size_t>(i)), &bytes)) return 0;
  return bytes;
}

void throw_damaged_chunk(const Place& place, const Dims& at, const std::string& problem) {
  throw DataError(
      fmt::format("damaged chunk in {} (the one that begins at element [{}]: {}); make the file "
                  "again or copy it again",
                  describe(place), to_string(at), problem));
}

namespace {

/// Throws for the first damaged chunk, if any.
void require_sound_chunks(hid_t dataset, const Place& place) {
  const std::size_t bytes = chunk_bytes_of(dataset, place);
  const PropertiesHandle creation(H5Dget_create_plist(dataset), "read the layout of", place);
  const Pipeline pipeline(creation.get(), bytes, place);
  const SpaceHandle space(H5Dget_space(dataset), "read the shape of", place);
  hsize_t chunks = 0;
  if (bytes == 0 || !pipeline.is_ours() || H5Dget_num_chunks(dataset, space.get(), &chunks) < 0) return;
  std::array<Scratch, 2> scratch;
  std::vector<hsize_t> offset(extents(space.get(), place).size());
  for (hsize_t i = 0; i < chunks; ++i) {
    unsigned skipped = 0;
    haddr_t address = 0;
    hsize_t size = 0;
    if (H5Dget_chunk_info(dataset, space.get(), i, offset.data(), &skipped, &address, &size) < 0) return;
    const Dims at(offset.begin(), offset.end());
    if (size > most_stored(bytes)) throw_damaged_chunk(place, at, too_large(size));
    std::vector<std::byte> stored(size);
    if (H5Dread_chunk(dataset, H5P_DEFAULT, offset.data(), &skipped, stored.data()) < 0) return;
    std::vector<std::byte> chunk(bytes);
    const std::string problem = pipeline.decode(stored, skipped, chunk, scratch);
    if (!problem.empty()) throw_damaged_chunk(place, at, problem);
  }
}

}  // namespace

std::uint64_t most_stored(std::size_t chunk_bytes) {
  // Compressed bytes may be a little more than the plain ones; a damaged size is far more.
  return 2 * static_cast<std::uint64_t>(chunk_bytes) + 4096;
}

std::string too_large(std::uint64_t stored) {
  return fmt::format("it states {} stored bytes, more than a chunk can have",
                     grouped(static_cast<std::int64_t>(stored)));
}

void throw_missing_filter(const std::string& file, const std::string& object, const Filter& filter) {
  throw DataError(fmt::format(
      "cannot decode {} (it is stored with filter {}{}, and {}); {}set HDF5_PLUGIN_PATH to the folder of the "
      "filter's HDF5 plugin, or rewrite the file where the filter is installed: h5repack -f GZIP=6 {} NEW.h5",
      describe({file, object}), filter.id, filter.name.empty() ? "" : ", " + filter.name, filter.lacking,
      filter.lacking.starts_with(kBuildLacks) ? "install it and build Convoy again, " : "", file));
}

void throw_unreadable(hid_t dataset, const Place& place) {
  // libhdf5's own reason, which the next calls would clear.
  Handle<H5Eclose_stack> reason(H5Eget_current_stack(), "read", place);
  const PropertiesHandle creation(H5Dget_create_plist(dataset), "read the layout of", place);
  for (const Filter& filter : filters_of(creation.get(), place))
    if (!filter.lacking.empty()) throw_missing_filter(place.file, place.object, filter);
  require_sound_chunks(dataset, place);
  H5Eset_current_stack(reason.release());
  throw_hdf5("read", place);
}

}  // namespace convoy::io
