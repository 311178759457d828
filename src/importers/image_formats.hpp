#pragma once
// One decoder a format, behind one face. Private to the data room; image_file.cpp chooses and checks.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "convoy/core/shape.hpp"

namespace convoy::importers {

/// An image whose header has been read. All functions throw DataError through throw_bad_image.
class ImageDecoder {
 public:
  virtual ~ImageDecoder() = default;
  /// c is 1 or 3; sides are positive, and may be absurd: whoever asks checks before memory is taken.
  [[nodiscard]] virtual Shape shape() const = 0;
  /// Fills [H][W][C]; at most once.
  virtual void decode(std::span<std::uint8_t> pixels) = 0;
};

/// `bytes` and `name` must outlive the decoder.
[[nodiscard]] std::unique_ptr<ImageDecoder> open_png(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_jpeg(std::span<const std::uint8_t> bytes,
                                                      const std::string& name);
[[nodiscard]] std::unique_ptr<ImageDecoder> open_pnm(std::span<const std::uint8_t> bytes,
                                                     const std::string& name);

[[noreturn]] void throw_bad_image(const std::string& name, const std::string& why);

}  // namespace convoy::importers
