#pragma once
// Creates image files in memory with libpng and libjpeg, for the tests of the rooms images, importers and
// data.

#include <png.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>
// After <cstdio>: jpeglib.h needs it but does not include it.
#include <jpeglib.h>

namespace convoy::test {

struct PngSettings {
  int colour_type = PNG_COLOR_TYPE_GRAY;
  int depth = 8;
  int interlace = PNG_INTERLACE_NONE;
  std::vector<png_color> palette{};
  std::vector<png_byte> palette_alpha{};
};

/// `samples` as in the file, row by row: packed if below 8 bits, big-endian if above.
inline std::string png_bytes(unsigned width, unsigned height, std::vector<png_byte> samples,
                             const PngSettings& settings = {}) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto append = [](png_structp to, png_bytep bytes, png_size_t count) {
    static_cast<std::string*>(png_get_io_ptr(to))->append(reinterpret_cast<const char*>(bytes), count);
  };
  png_set_write_fn(png, &out, append, [](png_structp) {});
  png_set_IHDR(png, info, width, height, settings.depth, settings.colour_type, settings.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!settings.palette.empty())
    png_set_PLTE(png, info, settings.palette.data(), static_cast<int>(settings.palette.size()));
  if (!settings.palette_alpha.empty())
    png_set_tRNS(png, info, settings.palette_alpha.data(), static_cast<int>(settings.palette_alpha.size()),
                 nullptr);
  png_write_info(png, info);
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  if (samples.size() != row_bytes * height) throw std::logic_error("samples do not fit the image");
  std::vector<png_bytep> rows;
  for (unsigned y = 0; y < height; ++y) rows.push_back(samples.data() + y * row_bytes);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

/// `samples` is [height][width][components]; 4 components are CMYK as Adobe writes it (255: no ink).
inline std::string jpeg_bytes(unsigned width, unsigned height, int components,
                              std::vector<unsigned char> samples, bool is_progressive = false) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &buffer, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = components;
  jpeg.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 100, TRUE);
  if (components == 4) jpeg.write_Adobe_marker = TRUE;
  if (is_progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  for (unsigned y = 0; y < height; ++y) {
    JSAMPROW row = samples.data() + y * width * static_cast<unsigned>(components);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string out(reinterpret_cast<const char*>(buffer), size);
  jpeg_destroy_compress(&jpeg);
  std::free(buffer);
  return out;
}

}  // namespace convoy::test
