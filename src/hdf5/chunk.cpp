#include "convoy/hdf5/chunk.hpp"

#include <zlib.h>

#include <new>
#include <stdexcept>

#include "call.hpp"
#include "convoy/codecs/fletcher32.hpp"

namespace convoy::io {
std::vector<std::uint8_t> filter_chunk(std::span<const std::uint8_t> chunk, const Storage& storage,
                                       std::size_t element_bytes) {
  std::vector<std::uint8_t> out(chunk.begin(), chunk.end());
  if (storage.gzip_level > 0) {
    // Shuffle: the first bytes of all elements, then their second ones, ...
    std::vector<std::uint8_t> planes;
    if (element_bytes > 1) {
      const std::size_t count = chunk.size() / element_bytes;
      planes.reserve(chunk.size());
      for (std::size_t b = 0; b < element_bytes; ++b)
        for (std::size_t i = 0; i < count; ++i) planes.push_back(chunk[i * element_bytes + b]);
      chunk = planes;
    }
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
