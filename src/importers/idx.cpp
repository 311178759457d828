// MNIST's IDX format: a magic number and the extents (32 bits each, big-endian), then the bytes.

#include <fmt/core.h>

#include <array>
#include <vector>

#include "byte_stream.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/importers/dataset_writer.hpp"
#include "convoy/importers/import.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

constexpr std::uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, 3 dimensions
constexpr std::uint32_t kLabelsMagic = 0x00000801;
constexpr std::int64_t kDigits = 10;

std::int64_t read_word(ByteStream& stream) {
  std::array<std::uint8_t, 4> bytes{};
  stream.read_exactly(bytes, "its header");
  std::int64_t word = 0;
  for (const std::uint8_t byte : bytes) word = word * 256 + byte;
  return word;
}

void require_magic(ByteStream& stream, std::uint32_t magic, const char* content) {
  const std::int64_t found = read_word(stream);
  if (found != magic)
    throw DataError(fmt::format("wrong magic number in {} (it is {}); an IDX file of {} begins with {}",
                                stream.path(), found, content, magic));
}

// An images file and its labels file, positioned after their headers.
struct Pair {
  ByteStream images;
  ByteStream labels;
  std::int64_t samples = 0;
  Shape shape;
};

Pair open_pair(const std::string& folder, const std::string& stem) {
  Pair pair{open_either(folder, stem + "-images-idx3-ubyte"),
            open_either(folder, stem + "-labels-idx1-ubyte"),
            0,
            {}};
  require_magic(pair.images, kImagesMagic, "images");
  pair.samples = read_word(pair.images);
  const std::int64_t height = read_word(pair.images);
  const std::int64_t width = read_word(pair.images);
  pair.shape = {1, height, width};
  require_magic(pair.labels, kLabelsMagic, "labels");
  const std::int64_t labels = read_word(pair.labels);
  if (labels != pair.samples)
    throw DataError(
        fmt::format("counts differ ({} images in {}, {} labels in {}); they should belong together",
                    grouped(pair.samples), pair.images.path(), grouped(labels), pair.labels.path()));
  if (pair.samples == 0 || height == 0 || width == 0)
    throw DataError(fmt::format("wrong header in {} ({} images of {}); none may be zero", pair.images.path(),
                                grouped(pair.samples), to_string(pair.shape)));
  // Check the header before allocating memory. Divide, because the product may overflow; height·width cannot,
  // since both are limited.
  constexpr std::int64_t kMostExtent = 65535;
  if (height > kMostExtent || width > kMostExtent)
    throw DataError(fmt::format("wrong header in {} (images of {}); no side may be longer than {}",
                                pair.images.path(), to_string(pair.shape), grouped(kMostExtent)));
  constexpr std::int64_t kHeaderBytes = 16;
  if (pair.samples > (pair.images.most_bytes() - kHeaderBytes) / (height * width))
    throw DataError(
        fmt::format("truncated file {} (its header promises {} images of {}, more than it can hold); copy "
                    "or download it again",
                    pair.images.path(), grouped(pair.samples), to_string(pair.shape)));
  return pair;
}

void copy_split(Pair& pair, const char* split, DatasetWriter& writer) {
  writer.begin_split(split, pair.samples);
  std::vector<std::uint8_t> image(static_cast<std::size_t>(pair.shape.size()));
  for (std::int64_t i = 0; i < pair.samples; ++i) {
    pair.images.read_exactly(image, "image " + std::to_string(i));
    std::uint8_t byte = 0;
    pair.labels.read_exactly({&byte, 1}, "label " + std::to_string(i));
    if (byte >= kDigits)
      throw DataError(fmt::format("wrong label in {} (number {} is {}); labels lie between 0 and 9",
                                  pair.labels.path(), i, byte));
    const std::int64_t label = byte;
    writer.append(image, {&label, 1});
  }
  const std::string all = counted(pair.samples, "sample");
  pair.images.require_end(all);
  pair.labels.require_end(all);
}

}  // namespace

void import_mnist(const std::string& folder, const std::string& out, Observer* observer) {
  Pair train = open_pair(folder, "train");
  Pair test = open_pair(folder, "t10k");
  if (test.shape != train.shape)
    throw DataError(fmt::format("image sizes differ ({} in {}, {} in {}); they should be the same",
                                to_string(train.shape), train.images.path(), to_string(test.shape),
                                test.images.path()));
  DatasetHeader header{.shape = train.shape, .source = "MNIST files (IDX)", .class_names = {}};
  for (std::int64_t k = 0; k < kDigits; ++k) header.class_names.push_back(std::to_string(k));
  DatasetWriter writer(out, std::move(header), observer);
  copy_split(train, data::names::kTrain, writer);
  copy_split(test, data::names::kTest, writer);
  writer.finish();
}

}  // namespace convoy::importers
