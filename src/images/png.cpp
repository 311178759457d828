// PNG with libpng. libpng reports errors by longjmp: every call that can fail is in a small function without
// objects that have destructors, and only C code is between the call and the jump.

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "convoy/images/image_file.hpp"
#include "decoder.hpp"
#include "orientation.hpp"

namespace convoy::images {
namespace {

struct Input {
  std::span<const std::uint8_t> left;
  std::array<char, 160> error{};
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* input = static_cast<Input*>(png_get_error_ptr(png));
  std::strncpy(input->error.data(), message, input->error.size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void read_bytes(png_structp png, png_bytep bytes, png_size_t count) {
  auto* input = static_cast<Input*>(png_get_io_ptr(png));
  if (count > input->left.size()) png_error(png, "it is cut short");
  std::memcpy(bytes, input->left.data(), count);
  input->left = input->left.subspan(count);
}

bool read_header(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_user_limits(png, kMostImageSide, kMostImageSide);
  png_read_info(png, info);
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  return true;
}

// The last chunk is empty, so its checksum is constant. libpng 1.6.48 accepts wrong ones.
void require_end(png_structp png) {
  constexpr std::array<std::uint8_t, 4> kEndSum{0xAE, 0x42, 0x60, 0x82};
  const auto* input = static_cast<const Input*>(png_get_io_ptr(png));
  const std::uint8_t* read = input->left.data() - kEndSum.size();
  if (!std::equal(kEndSum.begin(), kEndSum.end(), read)) png_error(png, "its end is damaged");
}

bool read_pixels(png_structp png, png_infop info, png_bytepp rows, png_size_t row_bytes) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "its pixels have an unexpected size");
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  require_end(png);
  return true;
}

/// EXIF's orientation of the chunk eXIf, which may lie before the pixels or after them (PNG 3, 11.3.4.4):
/// only a whole file tells that there is none. Throws DataError if `file` ends before its last chunk.
int orientation_of_chunks(std::span<const std::uint8_t> file, const std::string& name) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kFrame = 12;  // length, type, checksum
  const auto word = [](std::span<const std::uint8_t> bytes) {
    return std::size_t{bytes[0]} << 24U | std::size_t{bytes[1]} << 16U | std::size_t{bytes[2]} << 8U |
           std::size_t{bytes[3]};
  };
  const auto is_type = [](std::span<const std::uint8_t> chunk, std::string_view type) {
    return std::equal(type.begin(), type.end(), chunk.begin() + 4);
  };
  for (auto left = file.subspan(std::min(kSignature, file.size())); left.size() >= kFrame;) {
    const std::size_t length = word(left);
    if (is_type(left, "IEND")) return 1;
    if (length > left.size() - kFrame) break;
    if (is_type(left, "eXIf")) {
      const auto exif = left.subspan(8, length);
      const bool has_head = length > 4 && std::equal(exif.begin(), exif.begin() + 4, "Exif");
      return has_head ? orientation_of(exif) : orientation_of_tiff(exif);
    }
    left = left.subspan(length + kFrame);
  }
  throw_bad_image(name, "it is cut short");
}

class PngDecoder final : public ImageDecoder {
 public:
  PngDecoder(std::span<const std::uint8_t> bytes, const std::string& name)
      : name_(name), bytes_(bytes), input_{bytes, {}} {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input_, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png_, &input_, read_bytes);
    if (!read_header(png_, info_)) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw_bad_image(name_, input_.error.data());
    }
  }
  ~PngDecoder() override { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  [[nodiscard]] Shape shape() const override {
    const bool is_colour = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0;
    return {is_colour ? 3 : 1, png_get_image_height(png_, info_), png_get_image_width(png_, info_)};
  }

  [[nodiscard]] int orientation() const override { return orientation_of_chunks(bytes_, name_); }

  void decode(std::span<std::uint8_t> pixels) override {
    const Shape extent = shape();
    const auto row_bytes = static_cast<std::size_t>(extent.w * extent.c);
    std::vector<png_bytep> rows(static_cast<std::size_t>(extent.h));
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row_bytes;
    if (!read_pixels(png_, info_, rows.data(), row_bytes)) throw_bad_image(name_, input_.error.data());
  }

 private:
  const std::string& name_;
  std::span<const std::uint8_t> bytes_;
  Input input_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<PngDecoder>(bytes, name);
}

}  // namespace convoy::images
