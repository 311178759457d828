// JPEG with libjpeg. libjpeg reports errors by longjmp: every call that can fail is in a small function
// without objects that have destructors, and only C code is between the call and the jump.

#include <cstddef>
#include <cstdio>
// After <cstdio>: jerror.h needs it but does not include it.
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <vector>

#include "convoy/images/image_file.hpp"
#include "decoder.hpp"
#include "orientation.hpp"

namespace convoy::images {
namespace {

struct ErrorManager {
  jpeg_error_mgr base;  // first: libjpeg has a pointer to it
  std::jmp_buf back;
  std::array<char, JMSG_LENGTH_MAX> text;
};

ErrorManager* manager_of(j_common_ptr jpeg) {
  return reinterpret_cast<ErrorManager*>(jpeg->err);
}

[[noreturn]] void on_error(j_common_ptr jpeg) {
  ErrorManager* errors = manager_of(jpeg);
  errors->base.format_message(jpeg, errors->text.data());
  std::longjmp(errors->back, 1);
}

// A libjpeg warning usually means a damaged image, so it is an error. Exceptions: stray bytes between
// segments, and header fields that are not needed.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      on_error(jpeg);
  }
}

constexpr unsigned kMostExifBytes = 65535;

bool read_header(jpeg_decompress_struct* jpeg, ErrorManager* errors, const std::uint8_t* bytes,
                 std::size_t count) {
  if (setjmp(errors->back) != 0) return false;
  jpeg_create_decompress(jpeg);
  jpeg_mem_src(jpeg, bytes, static_cast<unsigned long>(count));
  jpeg_save_markers(jpeg, JPEG_APP0 + 1, kMostExifBytes);
  jpeg_read_header(jpeg, TRUE);
  switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
      jpeg->out_color_space = JCS_GRAYSCALE;
      break;
    case JCS_CMYK:
    case JCS_YCCK:
      jpeg->out_color_space = JCS_CMYK;
      break;
    default:
      jpeg->out_color_space = JCS_RGB;
  }
  // The exact transform gives the same bytes on every processor.
  jpeg->dct_method = JDCT_ISLOW;
  return true;
}

bool start(jpeg_decompress_struct* jpeg, ErrorManager* errors) {
  if (setjmp(errors->back) != 0) return false;
  jpeg_start_decompress(jpeg);
  return true;
}

bool read_row(jpeg_decompress_struct* jpeg, ErrorManager* errors, JSAMPLE* row) {
  if (setjmp(errors->back) != 0) return false;
  jpeg_read_scanlines(jpeg, &row, 1);
  return true;
}

bool finish(jpeg_decompress_struct* jpeg, ErrorManager* errors) {
  if (setjmp(errors->back) != 0) return false;
  jpeg_finish_decompress(jpeg);
  return true;
}

class JpegDecoder final : public ImageDecoder {
 public:
  JpegDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name) {
    jpeg_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    if (!read_header(&jpeg_, &errors_, bytes.data(), bytes.size())) {
      jpeg_destroy_decompress(&jpeg_);
      fail();
    }
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&jpeg_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  [[nodiscard]] Shape shape() const override {
    return {jpeg_.out_color_space == JCS_GRAYSCALE ? 1 : 3, jpeg_.image_height, jpeg_.image_width};
  }

  [[nodiscard]] int orientation() const override {
    for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next)
      if (const int found = orientation_of({marker->data, marker->data_length}); found != 1) return found;
    return 1;
  }

  void decode(std::span<std::uint8_t> pixels) override {
    const auto row_bytes = static_cast<std::size_t>(shape().w * shape().c);
    if (!start(&jpeg_, &errors_)) fail();
    const bool is_cmyk = jpeg_.out_color_space == JCS_CMYK;
    std::vector<std::uint8_t> inks(is_cmyk ? 4 * static_cast<std::size_t>(shape().w) : 0);
    for (std::size_t y = 0; y < static_cast<std::size_t>(shape().h); ++y) {
      std::uint8_t* row = pixels.data() + y * row_bytes;
      if (!read_row(&jpeg_, &errors_, is_cmyk ? inks.data() : row)) fail();
      if (is_cmyk) mix(inks, row);
    }
    if (!finish(&jpeg_, &errors_)) fail();
  }

 private:
  [[noreturn]] void fail() const { throw_bad_image(name_, errors_.text.data()); }

  /// Red = (1 − cyan)·(1 − black), and so on. Adobe stores 1 − ink.
  void mix(const std::vector<std::uint8_t>& inks, std::uint8_t* row) const {
    const auto left = [&](std::uint8_t ink) {
      return jpeg_.saw_Adobe_marker != FALSE ? unsigned{ink} : 255U - ink;
    };
    for (std::size_t i = 0; i < inks.size(); i += 4)
      for (std::size_t c = 0; c < 3; ++c)
        *row++ = static_cast<std::uint8_t>((left(inks[i + c]) * left(inks[i + 3]) + 127) / 255);
  }

  const std::string& name_;
  jpeg_decompress_struct jpeg_{};
  ErrorManager errors_{};
};

}  // namespace

std::unique_ptr<ImageDecoder> open_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<JpegDecoder>(bytes, name);
}

}  // namespace convoy::images
