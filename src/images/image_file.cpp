#include "convoy/images/image_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "decoder.hpp"
#include "orientation.hpp"

namespace convoy::images {
namespace {

using namespace std::string_view_literals;

struct Format {
  std::string_view begin;
  std::unique_ptr<ImageDecoder> (*open)(std::span<const std::uint8_t> bytes, const std::string& name);
  std::string_view at_8 = {};  ///< what also stands at byte 8
};
constexpr std::array kFormats{
    Format{"\x89PNG\r\n\x1a\n"sv, open_png},
    Format{"\xFF\xD8\xFF"sv, open_jpeg},
    Format{"P2"sv, open_pnm},
    Format{"P3"sv, open_pnm},
    Format{"P5"sv, open_pnm},
    Format{"P6"sv, open_pnm},
    Format{"RIFF"sv, open_webp, "WEBP"sv},
    Format{"II*\0"sv, open_tiff},
    Format{"MM\0*"sv, open_tiff},
    Format{"II+\0"sv, open_tiff},  // BigTIFF
    Format{"MM\0+"sv, open_tiff},
    Format{"GIF87a"sv, open_gif},
    Format{"GIF89a"sv, open_gif},
    Format{"BM"sv, open_bmp},
};

std::unique_ptr<ImageDecoder> open(std::span<const std::uint8_t> bytes, const std::string& name) {
  if (bytes.empty()) throw_bad_image(name, "it is empty");
  constexpr std::size_t kSecondMagic = 8;
  const std::string head(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 16)));
  for (const Format& format : kFormats)
    if (head.starts_with(format.begin) &&
        (format.at_8.empty() || (head.size() >= kSecondMagic &&
                                 std::string_view(head).substr(kSecondMagic).starts_with(format.at_8))))
      return format.open(bytes, name);
  const std::string_view content(reinterpret_cast<const char*>(bytes.data()),
                                 std::min<std::size_t>(bytes.size(), 512));
  if (const std::string kind = io::kind_of_content(content); !kind.empty()) throw_bad_image(name, kind);
  throw_bad_image(name, "it begins as no PNG, JPEG, WebP, TIFF, GIF, BMP, PGM or PPM");
}

Shape checked_shape(const ImageDecoder& decoder, const std::string& name) {
  const Shape shape = decoder.shape();
  if (shape.h < 1 || shape.w < 1 || shape.h > kMostImageSide || shape.w > kMostImageSide ||
      shape.h * shape.w > kMostImagePixels)
    throw_bad_image(
        name, fmt::format("it has {}x{} pixels; 1 to {} a side and {} in all are read", grouped(shape.h),
                          grouped(shape.w), grouped(kMostImageSide), grouped(kMostImagePixels)));
  return shape;
}

std::vector<std::uint8_t> read_bytes(const io::Descriptor& file, std::int64_t count) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  bytes.resize(static_cast<std::size_t>(file.read(bytes.data(), count, 0)));
  return bytes;
}

io::Descriptor open_file(const std::string& path) {
  try {
    return {path, O_RDONLY | O_NONBLOCK, "open"};  // do not block on a pipe
  } catch (const IoError&) {
    // A missing file may mean that the file system is gone, which is not a bad image.
    if (io::is_dead_link(path)) throw_bad_image(path, "it is a link to nothing");
    throw;
  }
}

std::int64_t checked_size(const io::Descriptor& file, const std::string& path) {
  if (!file.is_regular()) throw_bad_image(path, "it is no file but a pipe, a folder or a device");
  const std::int64_t size = file.size();
  if (size > kMostImageFileBytes)
    throw_bad_image(path, fmt::format("its file has {} bytes; up to {} are read", grouped(size),
                                      grouped(kMostImageFileBytes)));
  return size;
}

}  // namespace

void throw_bad_image(const std::string& name, const std::string& why) {
  throw DataError(fmt::format("bad image {} ({})", name, why));
}

std::string image_endings() {
  return join({kImageEndings.begin(), kImageEndings.end()}, ", ");
}

bool is_image_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  return std::ranges::find(kImageEndings, in_lower_case(name.substr(dot))) != kImageEndings.end();
}

namespace {

ImageHeader header_of(const ImageDecoder& decoder, const std::string& name, Exif exif) {
  const Shape stored = checked_shape(decoder, name);
  const int orientation = exif == Exif::kApply ? decoder.orientation() : 1;
  return {exchanges_sides(orientation) ? Shape{stored.c, stored.w, stored.h} : stored, orientation != 1};
}

}  // namespace

ImageHeader read_image_header(const std::string& path, Exif exif) {
  constexpr std::int64_t kMostlyEnough = std::int64_t{1} << 16;
  const io::Descriptor file = open_file(path);
  const std::int64_t size = checked_size(file, path);
  if (size > kMostlyEnough) {
    try {
      const std::vector<std::uint8_t> head = read_bytes(file, kMostlyEnough);
      return header_of(*open(head, path), path, exif);
    } catch (const DataError&) {
      // Large profiles and previews may precede the size: read the whole file.
    }
  }
  const std::vector<std::uint8_t> bytes = read_bytes(file, size);
  return header_of(*open(bytes, path), path, exif);
}

Image read_image(const std::string& path, Exif exif) {
  const io::Descriptor file = open_file(path);
  return decode_image(read_bytes(file, checked_size(file, path)), path, exif);
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, Exif exif) {
  const std::unique_ptr<ImageDecoder> decoder = open(bytes, name);
  const Shape shape = checked_shape(*decoder, name);
  const int orientation = exif == Exif::kApply ? decoder->orientation() : 1;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(shape.size()));
  decoder->decode(pixels);
  if (shape.c == 1) return upright({shape, std::move(pixels)}, orientation);
  Image image{shape, std::vector<std::uint8_t>(pixels.size())};
  const auto plane = static_cast<std::size_t>(shape.h * shape.w);
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < 3; ++c) image.pixels[c * plane + i] = pixels[3 * i + c];
  return upright(std::move(image), orientation);
}

}  // namespace convoy::images
