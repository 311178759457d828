#include "split.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "convoy/core/layout.hpp"
#include "convoy/data/stream.hpp"
#include "lanes.hpp"
#include "pictures.hpp"

namespace convoy::data {
namespace {

/// `picture_of(i)`: of the i-th of `samples`.
template <class Pixel, class PictureOf>
void fill(std::span<const std::int64_t> samples, const InputTransform& transform, const Loading& loading,
          const PictureOf& picture_of, float* dst) {
  const bool changes = loading.augmentation != nullptr && !loading.augmentation->is_none();
  const auto n = static_cast<std::int64_t>(samples.size());
  for (std::int64_t block = 0; block < lane_blocks(n); ++block) {
    float* const to = dst + block * transform.shape.size() * kLanes;
    std::array<const Pixel*, kLanes> pictures{};
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const std::int64_t i = block * kLanes + lane < n ? block * kLanes + lane : block * kLanes;
      const auto* picture = reinterpret_cast<const Pixel*>(picture_of(static_cast<std::size_t>(i)));
      pictures[static_cast<std::size_t>(lane)] = picture;
      if (!changes) continue;
      fill_lane(picture, transform,
                draw_change(*loading.augmentation, transform.shape, loading.seed, loading.epoch,
                            samples[static_cast<std::size_t>(i)]),
                lane, to);
    }
    if (!changes) fill_block(pictures, transform, to);
  }
}

}  // namespace

Split::Split(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Split::~Split() = default;
Split::Split(Split&&) noexcept = default;
Split& Split::operator=(Split&&) noexcept = default;

std::int64_t Split::samples() const {
  return impl_->samples;
}

std::span<const std::int64_t> Split::labels() const {
  return impl_->target_size == 0 ? impl_->answers_as<std::int64_t>() : std::span<std::int64_t>{};
}

std::span<const float> Split::targets() const {
  return impl_->target_size > 0 ? impl_->answers_as<float>() : std::span<float>{};
}

std::int64_t Split::target_size() const {
  return impl_->target_size;
}

bool Split::is_streamed() const {
  return !impl_->pictures.has_value();
}

std::int64_t Split::picture_bytes() const {
  return impl_->picture_bytes();
}

const std::vector<std::int64_t>& Split::unit_ends() const {
  return impl_->unit_ends;
}

namespace {

/// `picture_of(i)`: of the i-th of `samples` of `split`.
template <class PictureOf>
void fill(const Split::Impl& split, std::span<const std::int64_t> samples, const InputTransform& transform,
          const Loading& loading, const PictureOf& picture_of, float* dst) {
  if (std::ranges::any_of(samples,
                          [&](std::int64_t sample) { return sample < 0 || sample >= split.samples; }))
    throw std::logic_error("a sample number beyond the split's " + std::to_string(split.samples));
  if (split.type == PixelType::kUint8) {
    fill<std::uint8_t>(samples, transform, loading, picture_of, dst);
  } else {
    fill<float>(samples, transform, loading, picture_of, dst);
  }
}

}  // namespace

void Split::load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst,
                 const Loading& loading) const {
  if (is_streamed()) {
    if (loading.stream == nullptr)
      throw std::logic_error("pictures of a streamed split without their stream");
    fill(
        *impl_, samples, transform, loading,
        [&](std::size_t i) { return loading.stream->picture(samples[i]); }, dst);
    return;
  }
  const std::byte* all = impl_->pictures->bytes().data();
  const std::int64_t size = picture_bytes();
  fill(
      *impl_, samples, transform, loading, [&](std::size_t i) { return all + samples[i] * size; }, dst);
}

void Split::read(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const {
  if (!is_streamed()) return load(samples, transform, dst);
  const auto size = static_cast<std::size_t>(picture_bytes());
  std::vector<std::byte> pictures(samples.size() * size);
  PictureReader reader(impl_->layout, impl_->shape);
  for (std::size_t i = 0; i < samples.size(); ++i)
    reader.read({samples[i], samples[i] + 1}, std::span(pictures).subspan(i * size, size));
  fill(
      *impl_, samples, transform, {}, [&](std::size_t i) { return pictures.data() + i * size; }, dst);
}

}  // namespace convoy::data
