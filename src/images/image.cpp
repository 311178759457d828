#include "convoy/images/image.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace convoy::images {
namespace {

constexpr int kWeightBits = 22;  // leaves room for 8 bits of a byte and the sign
constexpr double kWeightUnit = 1 << kWeightBits;

/// Weights of output pixel i: one per source pixel, starting at `first`.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

// With scale s = source/output and S = max(s, 1), the centre of output pixel i is (i + ½)·s. The weight of
// source pixel x is max(0, 1 − |x + ½ − centre|/S), divided by the sum of all weights.
std::vector<Taps> triangle_taps(std::int64_t source, std::int64_t output) {
  const double scale = static_cast<double>(source) / static_cast<double>(output);
  const double support = std::max(scale, 1.0);
  const double inverse = 1.0 / support;
  std::vector<Taps> all(static_cast<std::size_t>(output));
  std::vector<double> exact;
  for (std::int64_t i = 0; i < output; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first =
        std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(centre - support + 0.5)), 0);
    const auto end = std::min(static_cast<std::int64_t>(std::floor(centre + support + 0.5)), source);
    exact.clear();
    double sum = 0;
    for (std::int64_t x = first; x < end; ++x) {
      const double distance = static_cast<double>(x) - centre + 0.5;
      exact.push_back(std::max(0.0, 1.0 - std::abs(distance * inverse)));
      sum += exact.back();
    }
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : exact)
      taps.weights.push_back(static_cast<std::int32_t>(std::floor(weight / sum * kWeightUnit + 0.5)));
  }
  return all;
}

/// Σ weight·source over the taps, rounded to a byte. Source pixels are `stride` bytes apart.
std::uint8_t weighted(const Taps& taps, const std::uint8_t* line, std::int64_t stride) {
  const std::uint8_t* source = line + taps.first * stride;
  std::int32_t sum = 1 << (kWeightBits - 1);
  for (const std::int32_t weight : taps.weights) {
    sum += weight * *source;
    source += stride;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

Image with_width(const Image& src, std::int64_t width) {
  const std::vector<Taps> taps = triangle_taps(src.shape.w, width);
  Image dst{{src.shape.c, src.shape.h, width}, {}};
  dst.pixels.reserve(static_cast<std::size_t>(dst.shape.size()));
  for (std::int64_t row = 0; row < src.shape.c * src.shape.h; ++row) {
    const std::uint8_t* line = src.pixels.data() + row * src.shape.w;
    for (const Taps& each : taps) dst.pixels.push_back(weighted(each, line, 1));
  }
  return dst;
}

Image with_height(const Image& src, std::int64_t height) {
  const std::vector<Taps> taps = triangle_taps(src.shape.h, height);
  Image dst{{src.shape.c, height, src.shape.w}, {}};
  dst.pixels.reserve(static_cast<std::size_t>(dst.shape.size()));
  for (std::int64_t c = 0; c < src.shape.c; ++c) {
    const std::uint8_t* plane = src.pixels.data() + c * src.shape.h * src.shape.w;
    for (const Taps& each : taps)
      for (std::int64_t x = 0; x < src.shape.w; ++x)
        dst.pixels.push_back(weighted(each, plane + x, src.shape.w));
  }
  return dst;
}

}  // namespace

Image with_channels(Image image, std::int64_t channels) {
  if (image.shape.c == channels) return image;
  const auto plane = static_cast<std::size_t>(image.shape.h * image.shape.w);
  std::vector<std::uint8_t>& pixels = image.pixels;
  if (channels == 3) {
    pixels.resize(3 * plane);
    std::copy_n(pixels.begin(), plane, pixels.begin() + static_cast<std::ptrdiff_t>(plane));
    std::copy_n(pixels.begin(), plane, pixels.begin() + static_cast<std::ptrdiff_t>(2 * plane));
  } else {
    // Weights in units of 2⁻¹⁶; their sum is 1.
    for (std::size_t i = 0; i < plane; ++i)
      pixels[i] = static_cast<std::uint8_t>(
          (19595U * pixels[i] + 38470U * pixels[plane + i] + 7471U * pixels[2 * plane + i] + (1U << 15)) >>
          16);
    pixels.resize(plane);
  }
  image.shape.c = channels;
  return image;
}

Image cut_to_ratio(Image image, std::int64_t height, std::int64_t width) {
  const auto [c, h, w] = image.shape;
  const std::int64_t cut_w = std::clamp<std::int64_t>((h * width + height / 2) / height, 1, w);
  const std::int64_t cut_h = std::clamp<std::int64_t>((w * height + width / 2) / width, 1, h);
  if (cut_w == w && cut_h == h) return image;
  const std::int64_t top = (h - cut_h) / 2;
  const std::int64_t left = (w - cut_w) / 2;
  Image cut{{c, cut_h, cut_w}, {}};
  cut.pixels.reserve(static_cast<std::size_t>(cut.shape.size()));
  for (std::int64_t channel = 0; channel < c; ++channel)
    for (std::int64_t y = 0; y < cut_h; ++y) {
      const auto line = image.pixels.begin() + (channel * h + top + y) * w + left;
      cut.pixels.insert(cut.pixels.end(), line, line + cut_w);
    }
  return cut;
}

Image resized(Image image, std::int64_t height, std::int64_t width) {
  if (image.shape.w != width) image = with_width(image, width);
  if (image.shape.h != height) image = with_height(image, height);
  return image;
}

Image fitted(Image image, const Shape& shape, Fit fit) {
  image = with_channels(std::move(image), shape.c);
  if (fit == Fit::kCrop) image = cut_to_ratio(std::move(image), shape.h, shape.w);
  return resized(std::move(image), shape.h, shape.w);
}

}  // namespace convoy::images
