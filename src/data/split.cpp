#include "split.hpp"

#include <fmt/core.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <stdexcept>
#include <utility>

#include "convoy/core/error.hpp"
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

std::unique_ptr<SampleChecksums> Split::Impl::checksums_of(const comm::NodeSharedMemory& memory,
                                                           std::int64_t samples,
                                                           const comm::Communicator& sharers) {
  auto checksums = std::make_unique<SampleChecksums>(sharers, samples);
  if (samples == 0) return checksums;
  const Range mine = convoy::split(samples, sharers.size(), sharers.rank());
  const auto size = memory.bytes().size() / static_cast<std::size_t>(samples);
  checksums->assign(mine,
                    memory.bytes().subspan(static_cast<std::size_t>(mine.begin) * size,
                                           static_cast<std::size_t>(mine.size()) * size),
                    omp_get_max_threads());
  checksums->fence();
  return checksums;
}

void Split::Impl::record(std::int64_t sample, bool is_answer) const {
  std::int64_t none = -1;
  damaged->compare_exchange_strong(none, 2 * sample + (is_answer ? 1 : 0), std::memory_order_relaxed);
}

void Split::Impl::check_image(std::int64_t sample, const std::byte* image, std::uint32_t checksum) const {
  if (sample_checksum({image, static_cast<std::size_t>(image_bytes())}) != checksum) record(sample, false);
}

bool Split::Impl::check_answer(std::int64_t sample) const {
  if (!answer_checksums) return true;
  const std::size_t size = labels_or_targets->bytes().size() / static_cast<std::size_t>(samples);
  const auto answer = labels_or_targets->bytes().subspan(static_cast<std::size_t>(sample) * size, size);
  if (sample_checksum(answer) == answer_checksums->of(sample)) return true;
  record(sample, true);
  return false;
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
    const auto streamed = [&](std::size_t i) {
      const StreamedImage image = loading.stream->image(samples[i]);
      impl_->check_image(samples[i], image.bytes, image.checksum);
      return image.bytes;
    };
    return fill(*impl_, samples, transform, loading, streamed, dst);
  }
  const std::byte* all = impl_->images->bytes().data();
  const std::int64_t size = image_bytes();
  const auto in_memory = [&](std::size_t i) {
    const std::byte* image = all + samples[i] * size;
    if (impl_->image_checksums) impl_->check_image(samples[i], image, impl_->image_checksums->of(samples[i]));
    return image;
  };
  fill(*impl_, samples, transform, loading, in_memory, dst);
}

void Split::copy_labels(std::span<const std::int64_t> samples, std::span<std::int64_t> dst) const {
  std::ranges::transform(samples, dst.begin(), [&](std::int64_t sample) {
    return impl_->check_answer(sample) ? labels()[static_cast<std::size_t>(sample)] : 0;
  });
}

void Split::copy_targets(std::span<const std::int64_t> samples, std::span<float> dst) const {
  const auto size = static_cast<std::size_t>(target_size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    static_cast<void>(impl_->check_answer(samples[i]));
    std::ranges::copy(targets().subspan(static_cast<std::size_t>(samples[i]) * size, size),
                      dst.subspan(i * size, size).begin());
  }
}

void Split::require_intact() const {
  const std::int64_t damaged = impl_->damaged->load(std::memory_order_relaxed);
  if (damaged < 0) return;
  const char* what = damaged % 2 == 0 ? "image" : impl_->target_size == 0 ? "label" : "target";
  throw MemoryFaultError(fmt::format(
      "memory of {} changed by itself (the {} of sample {} of the {} samples is not the one that was "
      "read: its checksum differs); keep jobs off that machine until its memory is tested, and "
      "resume from the last checkpoint elsewhere",
      comm::host_name(), what, damaged / 2, impl_->name));
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

void Split::read_plain(const Range& samples, std::span<std::byte> images, int threads) const {
  assert(is_streamed());
  ImageReader(impl_->layout, impl_->shape, threads).read(samples, images);
}

bool Split::is_bytes() const {
  return impl_->type == PixelType::kUint8;
}

}  // namespace convoy::data
