#include "lanes.hpp"

#include <algorithm>
#include <concepts>
#include <vector>

#include "convoy/core/math.hpp"

namespace convoy::data {
namespace {

constexpr std::size_t kByteValues = 256;

/// f(pixel); for bytes, a table of all 256 values.
template <class Pixel, class Function>
auto tabulated(const Function& f) {
  if constexpr (std::same_as<Pixel, std::uint8_t>) {
    std::array<decltype(f(0.0)), kByteValues> table{};
    for (std::size_t x = 0; x < kByteValues; ++x) table[x] = f(static_cast<double>(x));
    return [table](std::uint8_t x) { return table[x]; };
  } else {
    return [&f](float x) { return f(static_cast<double>(x)); };
  }
}

float normalised(double value, const InputTransform& transform, std::size_t c) {
  return static_cast<float>((value - transform.mean[c]) / transform.std[c]);
}

/// The number of a stored pixel before normalisation and brightness.
double scaled(double x, const InputTransform& transform) {
  return (transform.function == PixelFunction::kLog1p ? math::log1p(x) : x) * transform.scale;
}

/// True if values lie between 0 and 1, and changes keep them there.
template <class Pixel>
bool is_clamped(const InputTransform& transform) {
  return std::same_as<Pixel, std::uint8_t> && transform.function == PixelFunction::kNone;
}

/// The part of an image that is visible in the result.
struct View {
  Range rows;     ///< in the result
  Range columns;  ///< in the result, before the flip
};

View view_of(const Shape& shape, const ImageChange& change) {
  const auto shown = [](std::int64_t extent, std::int64_t offset) {
    const std::int64_t begin = std::clamp<std::int64_t>(-offset, 0, extent);
    return Range{begin, std::max(begin, std::min(extent, extent - offset))};
  };
  return {shown(shape.h, change.down), shown(shape.w, change.right)};
}

double grey_weight(const Shape& shape, std::int64_t c) {
  constexpr std::array<double, 3> kLuma{0.299, 0.587, 0.114};
  return shape.c == 3 ? kLuma[static_cast<std::size_t>(c)] : 1 / static_cast<double>(shape.c);
}

/// Pixel value after scaling and brightness.
template <class Pixel>
double brightened(double x, const InputTransform& transform, const ImageChange& change) {
  const double value = scaled(x, transform) * change.brightness;
  return is_clamped<Pixel>(transform) ? std::clamp(value, 0.0, 1.0) : value;
}

/// Mean grey of the window; pixels outside the image are black.
template <class Pixel>
double mean_grey(const Pixel* image, const InputTransform& transform, const ImageChange& change) {
  const Shape& shape = transform.shape;
  const View view = view_of(shape, change);
  const auto bright_of = [&](double x) { return brightened<Pixel>(x, transform, change); };
  const auto bright = tabulated<Pixel>(bright_of);
  double grey = 0;
  for (std::int64_t c = 0; c < shape.c; ++c) {
    double sum = 0;
    for (std::int64_t y = view.rows.begin; y < view.rows.end; ++y) {
      const Pixel* row = image + (c * shape.h + y + change.down) * shape.w + change.right;
      for (std::int64_t x = view.columns.begin; x < view.columns.end; ++x) sum += bright(row[x]);
    }
    grey += grey_weight(shape, c) * sum;
  }
  return grey / static_cast<double>(shape.h * shape.w);
}

}  // namespace

template <class Pixel>
void fill_block(const std::array<const Pixel*, kLanes>& images, const InputTransform& transform, float* dst) {
  const std::int64_t plane = transform.shape.h * transform.shape.w;
  for (std::int64_t c = 0; c < transform.shape.c; ++c) {
    const auto normal = [&](double x) {
      return normalised(scaled(x, transform), transform, static_cast<std::size_t>(c));
    };
    const auto transformed = tabulated<Pixel>(normal);
    for (std::int64_t i = c * plane; i < (c + 1) * plane; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) dst[lane] = transformed(images[lane][i]);
      dst += kLanes;
    }
  }
}

template <class Pixel>
void fill_lane(const Pixel* image, const InputTransform& transform, const ImageChange& change,
               std::int64_t lane, float* dst) {
  const Shape& shape = transform.shape;
  const View view = view_of(shape, change);
  const bool has_contrast = change.contrast != 1;
  const double grey = has_contrast ? mean_grey(image, transform, change) : 0;
  const auto at = [&](std::int64_t c, std::int64_t y, std::int64_t x) {
    return dst + ((c * shape.h + y) * shape.w + (change.is_flipped ? shape.w - 1 - x : x)) * kLanes + lane;
  };
  for (std::int64_t c = 0; c < shape.c; ++c) {
    const auto changed = [&](double x) {
      double value = brightened<Pixel>(x, transform, change);
      if (has_contrast) value = grey + (value - grey) * change.contrast;
      if (is_clamped<Pixel>(transform)) value = std::clamp(value, 0.0, 1.0);
      return normalised(value, transform, static_cast<std::size_t>(c));
    };
    const auto transformed = tabulated<Pixel>(changed);
    const float beyond = transformed(Pixel{0});
    for (std::int64_t y = 0; y < shape.h; ++y) {
      const bool is_shown = y >= view.rows.begin && y < view.rows.end;
      const Range shown = is_shown ? view.columns : Range{0, 0};
      for (std::int64_t x = 0; x < shown.begin; ++x) *at(c, y, x) = beyond;
      if (is_shown) {
        const Pixel* row = image + (c * shape.h + y + change.down) * shape.w + change.right;
        for (std::int64_t x = shown.begin; x < shown.end; ++x) *at(c, y, x) = transformed(row[x]);
      }
      for (std::int64_t x = shown.end; x < shape.w; ++x) *at(c, y, x) = beyond;
    }
    for (std::int64_t y = change.hole_rows.begin; y < change.hole_rows.end; ++y)
      for (std::int64_t x = change.hole_columns.begin; x < change.hole_columns.end; ++x)
        dst[((c * shape.h + y) * shape.w + x) * kLanes + lane] = 0;
  }
}

template void fill_block(const std::array<const std::uint8_t*, kLanes>&, const InputTransform&, float*);
template void fill_block(const std::array<const float*, kLanes>&, const InputTransform&, float*);
template void fill_lane(const std::uint8_t*, const InputTransform&, const ImageChange&, std::int64_t, float*);
template void fill_lane(const float*, const InputTransform&, const ImageChange&, std::int64_t, float*);

}  // namespace convoy::data
