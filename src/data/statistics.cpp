#include "convoy/data/statistics.hpp"

#include <algorithm>
#include <cmath>

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

FloatSums::FloatSums(const Shape& shape) : shape_(shape), sum_(zeros(shape)), sum_of_squares_(zeros(shape)) {}

void FloatSums::add(std::span<const float> images, int threads) {
  if (images.empty()) return;
  const auto plane = static_cast<std::size_t>(shape_.h * shape_.w);
  if (origin_.empty()) {
    for (std::size_t c = 0; c < sum_.size(); ++c) origin_.push_back(static_cast<double>(images[c * plane]));
  }
  // A channel is summed in the order of its pixels, by one thread.
  const std::size_t channels = sum_.size();
  const std::size_t planes = images.size() / plane;
#pragma omp parallel for schedule(static) num_threads(threads) default(none) \
    shared(images, plane, planes, channels)
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = sum_[c];
    double sum_of_squares = sum_of_squares_[c];
    for (std::size_t i = c; i < planes; i += channels) {
      for (const float x : images.subspan(i * plane, plane)) {
        const double off = static_cast<double>(x) - origin_[c];
        sum += off;
        sum_of_squares += off * off;
      }
    }
    sum_[c] = sum;
    sum_of_squares_[c] = sum_of_squares;
  }
  const std::size_t pixels = images.size() / sum_.size();
  pixels_ += static_cast<double>(pixels);
}

Statistics FloatSums::statistics() const {
  Statistics result{zeros(shape_), zeros(shape_)};
  for (std::size_t c = 0; c < sum_.size(); ++c) {
    const double mean = sum_[c] / pixels_;
    result.mean[c] = origin_[c] + mean;
    result.std[c] = std::sqrt(std::max(0.0, sum_of_squares_[c] / pixels_ - mean * mean));
  }
  return result;
}

}  // namespace convoy::data
