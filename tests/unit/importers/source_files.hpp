#pragma once
// Files as published data sets have them, and what an importer made of them, for the tests of the importers.

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/hdf5/file.hpp"

namespace convoy::test {

/// Big-endian.
inline std::string big_word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

inline std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Content of a split.
struct MadeSplit {
  Dims dims;
  std::vector<float> images;
  std::vector<std::int64_t> labels;
};
inline MadeSplit made_split(const std::string& path, const std::string& name) {
  const io::File file = io::File::open(path);
  MadeSplit made;
  made.dims = file.info("/" + name + "/images").dims;
  made.images = file.read<float>("/" + name + "/images", made.dims);
  made.labels = file.read<std::int64_t>("/" + name + "/labels", {made.dims.front()});
  return made;
}
inline std::vector<std::string> made_classes(const std::string& path) {
  return io::File::open(path).attribute<std::vector<std::string>>("/", "class_names");
}

}  // namespace convoy::test
