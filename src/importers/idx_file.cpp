#include "idx_file.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::importers {
namespace {

constexpr unsigned kUnsignedBytes = 0x08;
constexpr unsigned kSignedBytes = 0x09;
constexpr unsigned kShorts = 0x0B;
constexpr unsigned kInts = 0x0C;

/// 0 for other types.
std::size_t bytes_of(unsigned type) {
  return type == kUnsignedBytes || type == kSignedBytes ? 1 : type == kShorts ? 2 : type == kInts ? 4 : 0;
}

std::int64_t read_word(ByteStream& stream) {
  std::array<std::uint8_t, 4> bytes{};
  stream.read_exactly(bytes, "its header");
  std::int64_t word = 0;
  for (const std::uint8_t byte : bytes) word = word * 256 + byte;
  return word;
}

IdxImages open_images(ByteStream stream) {
  constexpr std::int64_t kMagic = 0x00000803;  // unsigned bytes, 3 dimensions
  const std::int64_t found = read_word(stream);
  if (found != kMagic) {
    io::refuse_foreign_content(stream.path());
    throw DataError(fmt::format("wrong magic number in {} (it is {}); an IDX file of images begins with {}",
                                stream.path(), found, kMagic));
  }
  IdxImages images{std::move(stream)};
  images.samples = read_word(images.stream);
  images.height = read_word(images.stream);
  images.width = read_word(images.stream);
  return images;
}

IdxLabels open_labels(ByteStream stream) {
  const std::int64_t found = read_word(stream);
  const auto type = static_cast<unsigned>(found >> 8U);  // two zeros before it
  const std::int64_t dimensions = found & 0xFF;
  if (bytes_of(type) == 0 || dimensions < 1 || dimensions > 2) {
    io::refuse_foreign_content(stream.path());
    throw DataError(
        fmt::format("wrong magic number in {} (it is {}); an IDX file of labels begins with 2049, or "
                    "with another for integers of 1 or 2 dimensions",
                    stream.path(), found));
  }
  IdxLabels labels{.stream = std::move(stream), .type = type};
  labels.samples = read_word(labels.stream);
  if (dimensions == 2) labels.columns = read_word(labels.stream);
  constexpr std::int64_t kMostColumns = 1024;
  if (labels.columns < 1 || labels.columns > kMostColumns)
    throw DataError(fmt::format("wrong header in {} ({} columns of labels); there should be 1 to {}",
                                labels.stream.path(), grouped(labels.columns), grouped(kMostColumns)));
  return labels;
}

// Checks the header before memory is taken. Divides, because the product may overflow; height·width cannot,
// since both are limited.
void require_sound(const IdxImages& images) {
  const std::string& path = images.stream.path();
  const std::string size = to_string(Shape{1, images.height, images.width});
  if (images.samples == 0 || images.height == 0 || images.width == 0)
    throw DataError(fmt::format("wrong header in {} ({} images of {}); none may be zero", path,
                                grouped(images.samples), size));
  constexpr std::int64_t kMostExtent = 65535;
  if (images.height > kMostExtent || images.width > kMostExtent)
    throw DataError(fmt::format("wrong header in {} (images of {}); no side may be longer than {}", path,
                                size, grouped(kMostExtent)));
  constexpr std::int64_t kHeaderBytes = 16;
  if (images.samples > (images.stream.most_bytes() - kHeaderBytes) / (images.height * images.width))
    throw DataError(
        fmt::format("truncated file {} (its header promises {} images of {}, more than it can hold); "
                    "copy or download it again",
                    path, grouped(images.samples), size));
}

}  // namespace

std::pair<IdxImages, IdxLabels> open_pair(ByteStream images_stream, ByteStream labels_stream) {
  IdxImages images = open_images(std::move(images_stream));
  IdxLabels labels = open_labels(std::move(labels_stream));
  if (labels.samples != images.samples)
    throw DataError(fmt::format(
        "counts differ ({} images in {}, {} labels in {}); they should belong together",
        grouped(images.samples), images.stream.path(), grouped(labels.samples), labels.stream.path()));
  require_sound(images);
  return {std::move(images), std::move(labels)};
}

std::vector<std::int64_t> read_labels(IdxLabels& labels) {
  const std::size_t size = bytes_of(labels.type);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(labels.columns) * size);
  std::vector<std::int64_t> values;  // grows with what is there, not with what the header promises
  for (std::int64_t i = 0; i < labels.samples; ++i) {
    labels.stream.read_exactly(row, "label " + std::to_string(i));
    std::int64_t value = labels.type != kUnsignedBytes && row.front() >= 0x80 ? -1 : 0;
    for (std::size_t byte = 0; byte < size; ++byte) value = value * 256 + row[byte];
    values.push_back(value);
  }
  labels.stream.require_end(counted(labels.samples, "sample"));
  return values;
}

}  // namespace convoy::importers
