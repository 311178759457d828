#include "convoy/data/memory_split.hpp"

#include <cassert>
#include <cstring>
#include <memory>
#include <utility>

#include "convoy/samples/names.hpp"
#include "split.hpp"

namespace convoy::data {
namespace {

Split split_of_bytes(const Shape& shape, PixelType type, std::span<const std::byte> images) {
  auto split =
      std::make_unique<Split::Impl>(Split::Impl{.name = names::kTrain, .shape = shape, .type = type});
  split->samples = static_cast<std::int64_t>(images.size()) / split->image_bytes();
  assert(split->samples > 0 &&
         split->samples * split->image_bytes() == static_cast<std::int64_t>(images.size()));
  split->unit_ends = {split->samples};
  split->images = std::make_shared<comm::NodeSharedMemory>(comm::Communicator::self(),
                                                           static_cast<std::int64_t>(images.size()));
  std::memcpy(split->images->bytes().data(), images.data(), images.size());
  return Split(std::move(split));
}

}  // namespace

Split split_of(const Shape& shape, std::span<const std::uint8_t> images) {
  return split_of_bytes(shape, PixelType::kUint8, std::as_bytes(images));
}

Split split_of(const Shape& shape, std::span<const float> images) {
  return split_of_bytes(shape, PixelType::kFloat32, std::as_bytes(images));
}

}  // namespace convoy::data
