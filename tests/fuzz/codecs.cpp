// The decoders of HDF5's filters. An input is: which decoder, its settings, the size wanted, and a chunk. It
// decodes or it does not; the size that it states is read in any case. Sizes are small: a decoder that
// allocates by its input goes over the limit.

#include <vector>

#include "convoy/codecs/codecs.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  struct Codec {
    io::Decoder decode;
    io::DecodedSize stated;
  };
  const Codec codecs[] = {{io::decode_gzip, nullptr},
                          {io::decode_lzf, io::lzf_size},
                          {io::decode_bitshuffle, io::bitshuffle_size},
                          {io::kDecodeLz4, io::lz4_size},
                          {io::kDecodeZstd, io::zstd_size},
                          {io::kDecodeBlosc, io::blosc_size},
                          {io::kDecodeBzip2, nullptr}};
  fuzz::Taker input({data, size});
  const Codec& codec = codecs[input.byte() % std::size(codecs)];
  if (codec.decode == nullptr) return 0;
  std::vector<unsigned> settings(input.byte() % 8);
  for (unsigned& setting : settings) setting = input.word();
  const std::size_t wanted = input.word();
  // Buffers of their own sizes, so that the address sanitizer sees every step beyond.
  const fuzz::Bytes rest = input.take(size);
  const std::vector<std::uint8_t> packed(rest.begin(), rest.end());
  const io::Bytes bytes = std::as_bytes(std::span(packed));
  if (codec.stated != nullptr) {
    const auto stated = codec.stated(bytes, settings);
    if (stated && *stated <= 1 << 16) {
      std::vector<std::byte> whole(*stated);
      (void)codec.decode(bytes, settings, whole);
    }
  }
  std::vector<std::byte> whole(wanted);
  (void)codec.decode(bytes, settings, whole);
  return 0;
}
