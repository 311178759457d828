// GIF with giflib: the first image of the file, on the canvas of the whole file. The canvas outside of it has
// the transparent colour if there is one, else the palette's first.

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <vector>

#include "decoder.hpp"
#include "palette.hpp"

namespace convoy::images {
namespace {

struct CloseGif {
  void operator()(GifFileType* gif) const {
    int ignored = 0;
    DGifCloseFile(gif, &ignored);
  }
};

int read_bytes(GifFileType* gif, GifByteType* to, int count) {
  auto& left = *static_cast<std::span<const std::uint8_t>*>(gif->UserData);
  const std::size_t got = std::min(static_cast<std::size_t>(count), left.size());
  std::memcpy(to, left.data(), got);
  left = left.subspan(got);
  return static_cast<int>(got);
}

class GifDecoder final : public ImageDecoder {
 public:
  GifDecoder(std::span<const std::uint8_t> bytes, const std::string& name) : name_(name), left_(bytes) {
    int error = 0;
    gif_.reset(DGifOpen(&left_, read_bytes, &error));
    if (gif_ == nullptr) fail(error);
    find_image();
    const ColorMapObject* map = gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
    if (map == nullptr) {
      palette_ = grey_ramp();
    } else {
      for (int i = 0; i < map->ColorCount; ++i)
        palette_.push_back({map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue});
    }
  }

  [[nodiscard]] Shape shape() const override {
    const GifImageDesc& image = gif_->Image;
    return {channels_of(palette_), std::max(gif_->SHeight, image.Top + image.Height),
            std::max(gif_->SWidth, image.Left + image.Width)};
  }

  void decode(std::span<std::uint8_t> pixels) override {
    const GifImageDesc& image = gif_->Image;
    const Shape canvas = shape();
    const bool has_colour = transparent_ && *transparent_ < palette_.size();
    std::vector<std::uint8_t> indices(static_cast<std::size_t>(canvas.h * canvas.w),
                                      has_colour ? *transparent_ : std::uint8_t{0});
    const auto read_row = [&](std::int64_t y) {
      std::uint8_t* row = indices.data() + (image.Top + y) * canvas.w + image.Left;
      if (DGifGetLine(gif_.get(), row, image.Width) == GIF_ERROR) fail(gif_->Error);
    };
    struct Pass {
      int first;
      int step;
    };
    constexpr std::array<Pass, 4> kInterlaced{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    constexpr std::array<Pass, 1> kPlain{{{0, 1}}};
    const std::span<const Pass> passes = image.Interlace ? std::span<const Pass>(kInterlaced) : kPlain;
    for (const Pass& pass : passes)
      for (int y = pass.first; y < image.Height; y += pass.step) read_row(y);
    require_end();
    expand(indices, palette_, pixels, name_);
  }

 private:
  [[noreturn]] void fail(int error) const {
    if (error == D_GIF_ERR_NOT_ENOUGH_MEM) throw std::bad_alloc();
    const char* text = GifErrorString(error);
    const bool is_short = error == D_GIF_ERR_READ_FAILED || error == D_GIF_ERR_EOF_TOO_SOON;
    throw_bad_image(name_, is_short || text == nullptr ? "it is cut short" : text);
  }
  void check(int result) const {
    if (result == GIF_ERROR) fail(gif_->Error);
  }

  /// Reads up to the pixels of the first image.
  void find_image() {
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      check(DGifGetRecordType(gif_.get(), &type));
      if (type == IMAGE_DESC_RECORD_TYPE) break;
      if (type != EXTENSION_RECORD_TYPE) throw_bad_image(name_, "it holds no image");
      read_extension();
    }
    check(DGifGetImageDesc(gif_.get()));
    if (gif_->Image.Width < 1 || gif_->Image.Height < 1) throw_bad_image(name_, "its image has no pixels");
  }

  void read_extension() {
    int code = 0;
    GifByteType* block = nullptr;  // its length, then its bytes
    check(DGifGetExtension(gif_.get(), &code, &block));
    if (code == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4) {
      transparent_.reset();
      if ((block[1] & 1U) != 0) transparent_ = block[4];
    }
    while (block != nullptr) check(DGifGetExtensionNext(gif_.get(), &block));
  }

  std::uint8_t take() {
    if (left_.empty()) throw_bad_image(name_, "it is cut short");
    const std::uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    return byte;
  }
  void skip(std::size_t count) {
    if (count > left_.size()) throw_bad_image(name_, "it is cut short");
    left_ = left_.subspan(count);
  }

  /// Walks over the other images, undecoded, to the file's end: a file that is cut short is found.
  void require_end() {
    constexpr std::uint8_t kTrailer = ';';
    constexpr std::uint8_t kImage = ',';
    constexpr std::uint8_t kExtension = '!';
    for (std::uint8_t mark = take(); mark != kTrailer; mark = take()) {
      if (mark == kImage) {
        skip(8);
        const unsigned flags = take();
        constexpr unsigned kHasPalette = 0x80;
        if ((flags & kHasPalette) != 0) skip(std::size_t{3} << ((flags & 7U) + 1));
      } else if (mark != kExtension) {
        throw_bad_image(name_, "it is damaged behind its first image");
      }
      skip(1);  // the size of codes, or the kind of extension
      for (std::uint8_t block = take(); block != 0; block = take()) skip(block);
    }
  }

  const std::string& name_;
  std::span<const std::uint8_t> left_;
  std::unique_ptr<GifFileType, CloseGif> gif_;
  std::optional<std::uint8_t> transparent_;
  Palette palette_;
};

}  // namespace

std::unique_ptr<ImageDecoder> open_gif(std::span<const std::uint8_t> bytes, const std::string& name) {
  return std::make_unique<GifDecoder>(bytes, name);
}

}  // namespace convoy::images
