#include "convoy/hdf5/chunk.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "call.hpp"

namespace convoy::io {
namespace {

// HDF5's Fletcher-32: big-endian 16-bit words (a last odd byte is a high byte); both sums folded to 16 bits
// as ones' complement.
std::uint32_t fletcher32(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kWordsBetweenFolds = 360;  // no sum overflows in 360 words
  const auto fold = [](std::uint32_t sum) { return (sum & 0xFFFF) + (sum >> 16); };
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t end = std::min(bytes.size(), i + 2 * kWordsBetweenFolds);
    for (; i < end; i += 2) {
      const std::uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
      first += static_cast<std::uint32_t>(bytes[i]) << 8 | low;
      second += first;
    }
    first = fold(first);
    second = fold(second);
  }
  return fold(second) << 16 | fold(first);
}

}  // namespace

std::vector<std::uint8_t> filter_chunk(std::span<const std::uint8_t> chunk, const Storage& storage) {
  std::vector<std::uint8_t> out(chunk.begin(), chunk.end());
  if (storage.gzip_level > 0) {
    uLongf size = ::compressBound(static_cast<uLong>(chunk.size()));
    out.resize(size);
    if (::compress2(out.data(), &size, chunk.data(), static_cast<uLong>(chunk.size()), storage.gzip_level) !=
        Z_OK)
      throw std::bad_alloc();  // compress2 fails only without memory
    out.resize(size);
  }
  if (storage.fletcher32) {
    const std::uint32_t sum = fletcher32(out);
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(sum >> shift));
  }
  return out;
}

void File::write_chunk(const std::string& dataset, std::int64_t row, std::span<const std::uint8_t> filtered) {
  if (impl_->world.size() > 1) throw std::logic_error("write_chunk is for files that one rank writes");
  impl_->together([&] {
    const Place place = impl_->place(dataset);
    const DatasetHandle handle = impl_->open_dataset(dataset);
    const SpaceHandle space(H5Dget_space(handle.get()), "read the shape of", place);
    std::vector<hsize_t> offset(extents(space.get(), place).size(), 0);
    offset.front() = static_cast<hsize_t>(row);
    checked(H5Dwrite_chunk(handle.get(), H5P_DEFAULT, 0, offset.data(), filtered.size(), filtered.data()),
            "write", place);
  });
}

}  // namespace convoy::io
