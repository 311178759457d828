#pragma once
// Creates image files in memory with libwebp, giflib and libtiff, if the build has them.

#ifdef CONVOY_HAS_GIF
#include <gif_lib.h>
#endif
#ifdef CONVOY_HAS_TIFF
#include <tiffio.h>
#endif
#ifdef CONVOY_HAS_WEBP
#include <webp/encode.h>
#endif

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace convoy::test {

#ifdef CONVOY_HAS_WEBP
/// Lossless; `samples` is [height][width][3].
inline std::string webp_bytes(int width, int height, const std::vector<std::uint8_t>& samples) {
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessRGB(samples.data(), width, height, 3 * width, &bytes);
  if (size == 0) throw std::logic_error("libwebp wrote nothing");
  std::string out(reinterpret_cast<const char*>(bytes), size);
  WebPFree(bytes);
  return out;
}
#endif

#ifdef CONVOY_HAS_GIF
/// Colour i is (10 i, 20 i, 255 − i); `indices` are below 8.
inline std::string gif_bytes(int width, int height, std::vector<std::uint8_t> indices, bool is_interlaced) {
  std::string out;
  const auto append = [](GifFileType* gif, const GifByteType* bytes, int count) {
    static_cast<std::string*>(gif->UserData)
        ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    return count;
  };
  int error = 0;
  GifFileType* gif = EGifOpen(&out, append, &error);
  std::vector<GifColorType> colours;
  for (unsigned i = 0; i < 8; ++i)
    colours.push_back({static_cast<GifByteType>(10 * i), static_cast<GifByteType>(20 * i),
                       static_cast<GifByteType>(255 - i)});
  ColorMapObject* map = GifMakeMapObject(8, colours.data());
  EGifPutScreenDesc(gif, width, height, 8, 0, map);
  EGifPutImageDesc(gif, 0, 0, width, height, is_interlaced, nullptr);
  const std::vector<std::pair<int, int>> passes =
      is_interlaced ? std::vector<std::pair<int, int>>{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
                    : std::vector<std::pair<int, int>>{{0, 1}};
  for (const auto& [first, step] : passes)
    for (int y = first; y < height; y += step) EGifPutLine(gif, indices.data() + y * width, width);
  GifFreeMapObject(map);
  if (EGifCloseFile(gif, &error) == GIF_ERROR) throw std::logic_error("giflib wrote nothing");
  return out;
}
#endif

#ifdef CONVOY_HAS_TIFF
/// `samples` is [height][width][channels]; sides are multiples of 16 if tiled.
inline std::string tiff_bytes(std::uint32_t width, std::uint32_t height, std::uint32_t channels,
                              std::vector<std::uint8_t> samples, int compression, bool is_tiled) {
  struct Output {
    std::string bytes;
    std::size_t at = 0;
  } output;
  const auto write = [](thandle_t handle, void* from, tmsize_t count) {
    auto& to = *static_cast<Output*>(handle);
    const auto size = static_cast<std::size_t>(count);
    if (to.bytes.size() < to.at + size) to.bytes.resize(to.at + size);
    std::memcpy(to.bytes.data() + to.at, from, size);
    to.at += size;
    return count;
  };
  const auto read = [](thandle_t, void*, tmsize_t) { return tmsize_t{0}; };
  const auto seek = [](thandle_t handle, toff_t offset, int from) {
    auto& to = *static_cast<Output*>(handle);
    to.at = offset + (from == SEEK_SET ? 0 : from == SEEK_CUR ? to.at : to.bytes.size());
    return toff_t{to.at};
  };
  const auto size = [](thandle_t handle) { return toff_t{static_cast<Output*>(handle)->bytes.size()}; };
  TIFF* tiff = TIFFClientOpen(
      "a.tif", "wl", &output, read, write, seek, [](thandle_t) { return 0; }, size, nullptr, nullptr);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, channels == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
  constexpr std::uint32_t kTile = 16;
  if (is_tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kTile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, kTile);
    if (width != kTile) throw std::logic_error("one tile is as wide as the image");
    for (std::uint32_t y = 0; y < height; y += kTile)
      TIFFWriteTile(tiff, samples.data() + std::size_t{y} * width * channels, 0, y, 0, 0);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 5);
    for (std::uint32_t y = 0; y < height; ++y)
      TIFFWriteScanline(tiff, samples.data() + std::size_t{y} * width * channels, y, 0);
  }
  TIFFClose(tiff);
  return std::move(output.bytes);
}
#endif

}  // namespace convoy::test
