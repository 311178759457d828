#include "split.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "convoy/core/layout.hpp"
#include "convoy/data/stream.hpp"
#include "images.hpp"
#include "lanes.hpp"

namespace convoy::data {
namespace {

/// `image_of(i)`: the image of samples[i].
template <class Pixel, class ImageOf>
void fill(std::span<const std::int64_t> samples, const InputTransform& transform, const Loading& loading,
          const ImageOf& image_of, float* dst) {
  const bool changes = loading.augmentation != nullptr && !loading.augmentation->is_none();
  const auto n = static_cast<std::int64_t>(samples.size());
  for (std::int64_t block = 0; block < lane_blocks(n); ++block) {
    float* const to = dst + block * transform.shape.size() * kLanes;
    std::array<const Pixel*, kLanes> images{};
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t i = block * kLanes + lane < n ? block * kLanes + lane : block * kLanes;
      const auto* image = reinterpret_cast<const Pixel*>(image_of(static_cast<std::size_t>(i)));
      images[static_cast<std::size_t>(lane)] = image;
      if (!changes) continue;
      fill_lane(image, transform,
                draw_change(*loading.augmentation, transform.shape, loading.seed, loading.epoch,
                            samples[static_cast<std::size_t>(i)]),
                lane, to);
    }
    if (!changes) fill_block(images, transform, to);
  }
}

}  // namespace

Split::Split(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Split::~Split() = default;
Split::Split(Split&&) noexcept = default;
Split& Split::operator=(Split&&) noexcept = default;

const std::string& Split::name() const {
  return impl_->name;
}

std::int64_t Split::samples() const {
  return impl_->samples;
}

bool Split::has_answers() const {
  return impl_->labels_or_targets != nullptr;
}

std::span<const std::int64_t> Split::labels() const {
  const bool has_labels = impl_->labels_or_targets && impl_->target_size == 0;
  return has_labels ? impl_->labels_or_targets_as<std::int64_t>() : std::span<std::int64_t>{};
}

std::span<const float> Split::targets() const {
  return impl_->target_size > 0 ? impl_->labels_or_targets_as<float>() : std::span<float>{};
}

std::int64_t Split::target_size() const {
  return impl_->target_size;
}

bool Split::is_streamed() const {
  return impl_->images == nullptr;
}

std::int64_t Split::image_bytes() const {
  return impl_->image_bytes();
}

const std::vector<std::int64_t>& Split::unit_ends() const {
  return impl_->unit_ends;
}

namespace {

/// `image_of(i)`: the image of samples[i] of `split`.
template <class ImageOf>
void fill(const Split::Impl& split, std::span<const std::int64_t> samples, const InputTransform& transform,
          const Loading& loading, const ImageOf& image_of, float* dst) {
  if (std::ranges::any_of(samples,
                          [&](std::int64_t sample) { return sample < 0 || sample >= split.samples; }))
    throw std::logic_error("a sample number beyond the split's " + std::to_string(split.samples));
  if (split.type == PixelType::kUint8) {
    fill<std::uint8_t>(samples, transform, loading, image_of, dst);
  } else {
    fill<float>(samples, transform, loading, image_of, dst);
  }
}

}  // namespace

void Split::load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst,
                 const Loading& loading) const {
  if (is_streamed()) {
    if (loading.stream == nullptr) throw std::logic_error("images of a streamed split without their stream");
    fill(
        *impl_, samples, transform, loading, [&](std::size_t i) { return loading.stream->image(samples[i]); },
        dst);
    return;
  }
  const std::byte* all = impl_->images->bytes().data();
  const std::int64_t size = image_bytes();
  fill(
      *impl_, samples, transform, loading, [&](std::size_t i) { return all + samples[i] * size; }, dst);
}

void Split::read(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const {
  if (!is_streamed()) return load(samples, transform, dst);
  const auto size = static_cast<std::size_t>(image_bytes());
  std::vector<std::byte> images(samples.size() * size);
  ImageReader reader(impl_->layout, impl_->shape);
  for (std::size_t i = 0; i < samples.size(); ++i)
    reader.read({samples[i], samples[i] + 1}, std::span(images).subspan(i * size, size));
  fill(
      *impl_, samples, transform, {}, [&](std::size_t i) { return images.data() + i * size; }, dst);
}

}  // namespace convoy::data
