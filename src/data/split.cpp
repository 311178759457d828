#include "split.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "convoy/core/layout.hpp"

namespace convoy::data {
namespace {

constexpr std::size_t kByteValues = 256;

// One channel of one lane block: dst[pixel][lane] = transformed(src[lane][pixel]).
template <class Pixel, class Transformed>
void fill_plane(const std::array<const Pixel*, kLanes>& src, std::int64_t pixels,
                const Transformed& transformed, float* dst) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) dst[lane] = transformed(src[lane][i]);
    dst += kLanes;
  }
}

template <class Pixel, class MakeTransformed>
void fill(const Split::Impl& split, std::span<const std::int64_t> samples,
          const MakeTransformed& make_transformed, float* dst) {
  const std::int64_t plane = split.shape.h * split.shape.w;
  const auto n = static_cast<std::int64_t>(samples.size());
  for (std::int64_t c = 0; c < split.shape.c; ++c) {
    const auto transformed = make_transformed(static_cast<std::size_t>(c));
    for (std::int64_t block = 0; block < lane_blocks(n); ++block) {
      std::array<const Pixel*, kLanes> src{};
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const std::int64_t i = block * kLanes + lane;
        src[static_cast<std::size_t>(lane)] =
            split.plane<Pixel>(samples[static_cast<std::size_t>(i < n ? i : block * kLanes)], c);
      }
      fill_plane(src, plane, transformed, dst + (block * split.shape.c + c) * plane * kLanes);
    }
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
  return impl_->labels;
}

std::span<const float> Split::targets() const {
  return impl_->targets;
}

std::int64_t Split::target_size() const {
  return impl_->target_size;
}

void Split::load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const {
  if (std::ranges::any_of(samples,
                          [&](std::int64_t sample) { return sample < 0 || sample >= this->samples(); }))
    throw std::logic_error("a sample number beyond the split's " + std::to_string(this->samples()));
  const auto at = [&](double x, std::size_t c) {
    return static_cast<float>((x * transform.scale - transform.mean[c]) / transform.std[c]);
  };
  if (impl_->type == PixelType::kUint8) {
    // A byte has 256 values: the division is done once for each.
    fill<std::uint8_t>(
        *impl_, samples,
        [&](std::size_t c) {
          std::array<float, kByteValues> table{};
          for (std::size_t x = 0; x < kByteValues; ++x) table[x] = at(static_cast<double>(x), c);
          return [table](std::uint8_t x) { return table[x]; };
        },
        dst);
  } else {
    fill<float>(
        *impl_, samples,
        [&](std::size_t c) { return [&at, c](float x) { return at(static_cast<double>(x), c); }; }, dst);
  }
}

}  // namespace convoy::data
