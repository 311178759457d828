// lzo: filter 305 of PyTables.

#include "convoy/codecs/codecs.hpp"

#ifdef CONVOY_HAS_LZO
#include <lzo/lzo1x.h>

#include <initializer_list>
#endif

namespace convoy::io {

#ifdef CONVOY_HAS_LZO

namespace {

constexpr std::size_t kWordBytes = 4;

const unsigned char* chars(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::uint32_t little_endian_word(Bytes bytes) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < kWordBytes; ++i) word |= static_cast<std::uint32_t>(bytes[i]) << 8 * i;
  return word;
}

/// `trailer`: empty, the Adler-32 of `whole`, or this and its size.
bool is_sound(Bytes trailer, Bytes whole) {
  if (trailer.empty()) return true;
  if (trailer.size() > kWordBytes &&
      little_endian_word(trailer.subspan(kWordBytes)) != static_cast<std::uint32_t>(whole.size()))
    return false;
  return little_endian_word(trailer) == lzo_adler32(1, chars(whole), whole.size());
}

bool decode_lzo(Bytes packed, Settings /*settings*/, std::span<std::byte> whole) {
  static const bool is_usable = lzo_init() == LZO_E_OK;
  if (!is_usable) return false;
  // The settings do not tell which trailer a file has. A stream has an end mark, so only one of these fits.
  for (const std::size_t trailer : {std::size_t{0}, 2 * kWordBytes, kWordBytes}) {
    if (packed.size() <= trailer) continue;
    const std::size_t size = packed.size() - trailer;
    lzo_uint written = whole.size();
    const int status = lzo1x_decompress_safe(
        chars(packed), size, reinterpret_cast<unsigned char*>(whole.data()), &written, nullptr);
    if (status == LZO_E_OK) return written == whole.size() && is_sound(packed.subspan(size), whole);
    if (trailer == 0 && status != LZO_E_INPUT_NOT_CONSUMED) return false;
  }
  return false;
}

}  // namespace

const Decoder kDecodeLzo = decode_lzo;

#else

const Decoder kDecodeLzo = nullptr;

#endif

}  // namespace convoy::io
