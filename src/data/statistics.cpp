#include "convoy/data/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "convoy/core/parallel.hpp"

namespace convoy::data {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr double kByteRange = 255;

std::vector<double> zeros(const Shape& shape) {
  return std::vector<double>(static_cast<std::size_t>(shape.c));
}

}  // namespace

ByteSums::ByteSums(const Shape& shape)
    : shape_(shape),
      sum_(static_cast<std::size_t>(shape.c)),
      sum_of_squares_(static_cast<std::size_t>(shape.c)) {}

void ByteSums::add(std::span<const std::uint8_t> images) {
  const auto plane = static_cast<std::size_t>(shape_.h * shape_.w);
  const auto planes = images.size() / plane;
  // 255² of so many fit in 32 bits, of which vectors hold more.
  constexpr std::size_t kTogether = 1 << 16;
  for (std::size_t begin = 0; begin < planes * plane;) {
    const std::size_t i = begin / plane;
    const std::size_t end = std::min((i + 1) * plane, begin + kTogether);
    std::uint32_t sum = 0;
    std::uint32_t sum_of_squares = 0;
    for (const std::uint8_t x : images.subspan(begin, end - begin)) {
      sum += x;
      sum_of_squares += std::uint32_t{x} * x;
    }
    sum_[i % sum_.size()] += sum;
    sum_of_squares_[i % sum_.size()] += sum_of_squares;
    begin = end;
  }
  pixels_ += images.size() / static_cast<std::size_t>(shape_.c);
}

Statistics ByteSums::statistics() const {
  Statistics result{zeros(shape_), zeros(shape_)};
  const auto n = static_cast<double>(pixels_);
  for (std::size_t c = 0; c < sum_.size(); ++c) {
    result.mean[c] = static_cast<double>(sum_[c]) / n / kByteRange;
    // n²·variance = n·Σx² − (Σx)², exact.
    const Wide scaled = Wide{pixels_} * sum_of_squares_[c] - Wide{sum_[c]} * sum_[c];
    result.std[c] = std::sqrt(static_cast<double>(scaled)) / n / kByteRange;
  }
  return result;
}

std::vector<std::uint64_t> ByteSums::numbers() const {
  std::vector<std::uint64_t> all{pixels_};
  all.insert(all.end(), sum_.begin(), sum_.end());
  all.insert(all.end(), sum_of_squares_.begin(), sum_of_squares_.end());
  return all;
}

void ByteSums::add_numbers(std::span<const std::uint64_t> numbers) {
  pixels_ += numbers[0];
  for (std::size_t c = 0; c < sum_.size(); ++c) {
    sum_[c] += numbers[1 + c];
    sum_of_squares_[c] += numbers[1 + sum_.size() + c];
  }
}

FloatSums::FloatSums(const Shape& shape)
    : shape_(shape), chains_(static_cast<std::size_t>(shape.c) * kImages) {}

void FloatSums::Chains::add(std::span<const float> plane, double origin) {
  const auto add_at = [&](std::size_t i, std::size_t chain) {
    const double off = static_cast<double>(plane[i]) - origin;
    sum[chain] += off;
    sum_of_squares[chain] += off * off;
  };
  std::size_t i = 0;
  for (; i + kPixels <= plane.size(); i += kPixels)
    for (std::size_t chain = 0; chain < kPixels; ++chain) add_at(i + chain, chain);
  for (; i < plane.size(); ++i) add_at(i, i % kPixels);
}

void FloatSums::add(std::span<const float> images, int threads) {
  if (images.empty()) return;
  const auto plane = static_cast<std::size_t>(shape_.h * shape_.w);
  const auto channels = static_cast<std::size_t>(shape_.c);
  if (origin_.empty()) {
    for (std::size_t c = 0; c < channels; ++c) origin_.push_back(static_cast<double>(images[c * plane]));
  }
  const std::size_t count = images.size() / plane / channels;
  parallel_for(threads, static_cast<std::int64_t>(chains_.size()), Shares::kEqual, [&](std::int64_t chain) {
    const auto i = static_cast<std::size_t>(chain);
    const std::size_t c = i / kImages;
    Chains own = chains_[i];
    for (std::size_t n = (i + kImages - images_ % kImages) % kImages; n < count; n += kImages)
      own.add(images.subspan((n * channels + c) * plane, plane), origin_[c]);
    chains_[i] = own;
  });
  images_ += count;
}

Statistics FloatSums::statistics() const {
  Statistics result{zeros(shape_), zeros(shape_)};
  const auto pixels = static_cast<double>(images_) * static_cast<double>(shape_.h * shape_.w);
  for (std::size_t c = 0; c < origin_.size(); ++c) {
    double sum = 0;
    double sum_of_squares = 0;
    for (const Chains& chains : std::span(chains_).subspan(c * kImages, kImages)) {
      for (const double each : chains.sum) sum += each;
      for (const double each : chains.sum_of_squares) sum_of_squares += each;
    }
    const double mean = sum / pixels;
    result.mean[c] = origin_[c] + mean;
    result.std[c] = std::sqrt(std::max(0.0, sum_of_squares / pixels - mean * mean));
  }
  return result;
}

}  // namespace convoy::data
