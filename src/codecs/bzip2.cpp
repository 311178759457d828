// bzip2: filter 307 of PyTables and of The HDF Group's plugins.

#include "convoy/codecs/codecs.hpp"

#ifdef CONVOY_HAS_BZ2
#include <bzlib.h>

#include <climits>
#include <new>
#endif

namespace convoy::io {

#ifdef CONVOY_HAS_BZ2

namespace {

bool decode_bzip2(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  if (packed.size() > UINT_MAX || whole.size() > UINT_MAX) return false;
  bz_stream stream{};
  if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) throw std::bad_alloc();
  // bzlib does not write to its input.
  stream.next_in = const_cast<char*>(reinterpret_cast<const char*>(packed.data()));
  stream.avail_in = static_cast<unsigned>(packed.size());
  stream.next_out = reinterpret_cast<char*>(whole.data());
  stream.avail_out = static_cast<unsigned>(whole.size());
  const int status = BZ2_bzDecompress(&stream);
  BZ2_bzDecompressEnd(&stream);
  if (status == BZ_MEM_ERROR) throw std::bad_alloc();
  return status == BZ_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
}

}  // namespace

const Decoder kDecodeBzip2 = decode_bzip2;

#else

const Decoder kDecodeBzip2 = nullptr;

#endif

}  // namespace convoy::io
