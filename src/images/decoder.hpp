#pragma once
// One decoder per format, with a common interface. Private to the images room; image_file.cpp selects the
// decoder and checks limits.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "convoy/core/shape.hpp"

namespace convoy::images {

/// An image whose header has been read. All functions report errors with throw_bad_image (DataError).
class ImageDecoder {
 public:
  virtual ~ImageDecoder() = default;
  /// c is 1 or 3. Sides are positive but unchecked: the caller checks limits before allocating memory.
  [[nodiscard]] virtual Shape shape() const = 0;
  /// EXIF's orientation of the stored pixels, 1 to 8.
  [[nodiscard]] virtual int orientation() const { return 1; }
  /// Fills [H][W][C]. Call at most once.
  virtual void decode(std::span<std::uint8_t> pixels) = 0;
};

/// `bytes` and `name` must outlive the decoder.
[[nodiscard]] std::unique_ptr<ImageDecoder> open_png(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_jpeg(std::span<const std::uint8_t> bytes,
                                                      const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_pnm(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_bmp(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);
/// These throw_bad_image in a build without their library.
[[nodiscard]] std::unique_ptr<ImageDecoder> open_gif(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_tiff(std::span<const std::uint8_t> bytes,
                                                      const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_webp(std::span<const std::uint8_t> bytes,
                                                      const std::string& name);

[[noreturn]] void throw_bad_image(const std::string& name, const std::string& why);

}  // namespace convoy::images
